/**
 * Loads those of tsgun's own files that a worker will need, before it gives up its rights and loads the app. Later the files
 * may be unreadable for its user, or missing, as while `npm ci` runs.
 */

import { loadInterfaces } from '../app/interfaces.ts';
import { loadLoader } from '../app/load.ts';
import { type AskedInterface, askedFor, rawServersInterface, servedBy } from '../app/names.ts';
import { version } from '../config/version.ts';
import { descriptorError } from '../descriptors.ts';
import { ownFilesError, TsgunError } from '../errors.ts';
import { watchdogEntry } from '../ipc/entries.ts';
import type { WorkerOrder } from '../ipc/order.ts';
import type { AccessLog } from './access/access-log.ts';
import { loadClass } from './classes/registry.ts';
import type { WorkerClass } from './classes/worker.ts';
import type { FailureApp } from './failure/app.ts';
import type { Overload } from './overload/overload.ts';
import { readThreadCode, type ThreadCode } from './thread-code.ts';

export interface Own {
  /** The interface that was asked for, as far as it is known. */
  readonly asked: AskedInterface;
  readonly makeWorker: WorkerClass;
  /** For a program that turns out to take raw connections; undefined if the class cannot serve them. */
  readonly makeRawWorker: WorkerClass | undefined;
  readonly watchdog: ThreadCode;
  /** Set if there is an access log. */
  readonly AccessLog: typeof AccessLog | undefined;
  /** Set if overload is shed. */
  readonly Overload: typeof Overload | undefined;
  /** Served in the app's place. */
  readonly instead: FailureApp | undefined;
  /** Set under `--reload`. */
  readonly handlerFailures: typeof import('./failure/handler.ts') | undefined;
  /** tsgun's version. */
  readonly version: string;
}

/** @throws BootError that names the remedy */
export async function loadOwn(order: WorkerOrder): Promise<Own> {
  const { settings, app, script, hooksFrom, identity, failure } = order;
  try {
    const said = askedFor(settings.interface, app);
    const instead =
      failure === undefined ? undefined : (await import('./failure/app.ts')).failureApp(failure, servedBy(said));
    const asked = instead?.interface ?? said;
    const makeWorker = await loadClass(settings.workerClass, servedBy(asked));
    const isForThreads = makeWorker.loadsApp === false;
    if (!isForThreads || hooksFrom === 'script') await loadInterfaces(asked);
    const mayBeRaw = !isForThreads && asked === 'auto';
    if (mayBeRaw) await loadInterfaces(rawServersInterface);
    const makeRawWorker = mayBeRaw ? await loadClass(settings.workerClass, 'connections') : undefined;
    if (failure === undefined) await loadLoader(script ?? app, identity !== undefined, isForThreads);
    if (typeof hooksFrom === 'object') await import('../config/sources/config-file.ts');
    const isLogged = settings.accessLogfile !== undefined;
    const { AccessLog } = isLogged ? await import('./access/access-log.ts') : { AccessLog: undefined };
    const sheds = settings.shed === 'auto';
    const { Overload } = sheds ? await import('./overload/overload.ts') : { Overload: undefined };
    const handlerFailures = settings.reload ? await import('./failure/handler.ts') : undefined;
    const watchdog = readThreadCode(watchdogEntry);
    return {
      asked,
      makeWorker,
      makeRawWorker,
      watchdog,
      AccessLog,
      Overload,
      instead,
      handlerFailures,
      version: version(),
    };
  } catch (error) {
    // The order itself may be wrong, and all files present.
    if (error instanceof TsgunError || descriptorError(error) !== undefined) throw error;
    throw ownFilesError(error);
  }
}
