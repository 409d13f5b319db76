/**
 * A configuration made usable: read and checked, its addresses bound, its log open. All its errors are found
 * here, before any worker is spawned for it.
 */

import type { Configuration } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { hasTls } from '../../config/values/tls.ts';
import { ConfigError, type ErrorReport, report } from '../../errors.ts';
import type { Identity } from '../../ipc/order.ts';
import type { OwnLogger } from '../../logger.ts';
import { type AdminListener, openAdmin } from '../admin/listener.ts';
import type { Listener } from '../sockets/listener.ts';
import { bindAll } from '../sockets/listeners.ts';
import { Patience } from '../sockets/patience.ts';
import { adoptHandover } from '../succession/handover.ts';
import { checkDescriptorLimit } from '../surroundings/descriptor-limit.ts';
import { Certificates } from '../tls/certificates.ts';
import { identityOf } from './identity.ts';
import { openLog } from './log-file.ts';
import { type Release, releaseOf } from './release.ts';
import { withSystemProblems } from './system-checks.ts';

export interface Generation {
  readonly configuration: Configuration;
  readonly release: Release;
  readonly identity: Identity | undefined;
  readonly umask: number;
  /** One per address of the configuration, in its order. */
  readonly listeners: readonly Listener[];
  /** Undefined if none is wanted. */
  readonly admin?: AdminListener | undefined;
  readonly log: OwnLogger;
  /** Undefined where nothing is served over TLS. */
  readonly certificates?: Certificates | undefined;
  /** Under `--reload`: the error that its workers answer with, in place of the app. */
  readonly failure?: ErrorReport;
}

/**
 * Takes the place of a generation that cannot boot: it serves the error on the same addresses, without the settings that could fail
 * again or concern only the app.
 */
export function withFailure(generation: Generation, failure: ErrorReport): Generation {
  const { configuration } = generation;
  const settings: Settings = {
    ...configuration.settings,
    workers: 1,
    workerClass: 'async',
    nodeOptions: [],
    maxRequests: 0,
    maxWorkers: 0,
    maxWorkerLifetime: 0,
    maxWorkerMemory: 0,
    requestTimeout: 0,
    slowRequest: 0,
  };
  return {
    ...generation,
    configuration: { ...configuration, settings, script: undefined, hooksFrom: undefined },
    failure,
  };
}

/** Reads the configuration; called at the start and again for every reload. */
export type LoadConfiguration = () => Promise<Configuration>;

/** A config file is code, and may wait for ever. */
const readMs = 30_000;

/**
 * @param present listeners to reuse if an address is the same
 * @param others generations whose log is reused if it is the same: otherwise each reload would leak a descriptor
 * @param giveUp at the start only: tsgun waits for an address in use until this signal
 * @param isSuccessor whether an older master runs beside this one
 * @throws ConfigError
 */
export async function prepare(
  load: LoadConfiguration,
  present: readonly Listener[],
  others: readonly Generation[] = [],
  giveUp?: AbortSignal,
  isSuccessor = false,
): Promise<Generation> {
  const configuration = await withinReason(load());
  const { settings } = configuration;
  const release = releaseOf(configuration);
  const doubt = checkDescriptorLimit(configuration);
  // The umask comes before the files to which it applies: log files, sockets.
  const umask = settings.umask ?? ownMask;
  process.umask(umask);
  const { identity, log, certificates } = await open(configuration, others).catch(async (error) => {
    throw await withSystemProblems(error, configuration);
  });
  if (doubt !== undefined) log.say('warn', {}, doubt);
  const patience = giveUp === undefined ? undefined : new Patience(log, giveUp);
  let listeners: Listener[] = [];
  try {
    listeners = await bindAll(settings.bind, { present, owner: identity, patience });
    const admin = await openAdmin(settings, { present: others.map(({ admin }) => admin), log, patience, isSuccessor });
    return { configuration, release, identity, umask, log, listeners, admin, certificates };
  } catch (error) {
    certificates?.close();
    for (const listener of listeners) if (!present.includes(listener)) listener.close();
    throw error;
  }
}

/** @throws ConfigError for the first that fails */
async function open(
  configuration: Configuration,
  others: readonly Generation[],
): Promise<Pick<Generation, 'identity' | 'log' | 'certificates'>> {
  const { settings, origins } = configuration;
  const identity = await identityOf(settings, origins);
  const log = openLog(configuration, identity, others);
  const certificates = hasTls(settings) ? await Certificates.open(settings, log) : undefined;
  return { identity, log, certificates };
}

/**
 * The first one, with the sockets that an older master may have handed over; those it does not want are closed.
 * @param giveUp ends all waits: the start is given up
 */
export async function prepareFirst(
  load: LoadConfiguration,
  giveUp: AbortSignal,
  isSuccessor: boolean,
): Promise<Generation> {
  const adopted = adoptHandover();
  const generation = await prepare(load, adopted, [], giveUp, isSuccessor);
  for (const listener of adopted) if (!generation.listeners.includes(listener)) listener.close();
  return generation;
}

/** The umask with which the master was started; it can only be read by setting it. */
const ownMask = process.umask(0);
process.umask(ownMask);

/** Limits how long the configuration may be read, and rejects with an error that escapes the config file's code meanwhile. */
export function withinReason<T>(reading: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onEscape = (error: unknown) =>
      settle(() => reject(new ConfigError(`config: an error escaped it: ${report(error).message}`, { cause: error })));
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(new ConfigError(`config: not read within ${readMs / 1000} s: does it wait for something?`)),
        ),
      readMs,
    );
    const settle = (end: () => void) => {
      clearTimeout(timer);
      process.off('uncaughtException', onEscape);
      process.off('unhandledRejection', onEscape);
      end();
    };
    process.on('uncaughtException', onEscape);
    process.on('unhandledRejection', onEscape);
    reading.then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
  });
}
