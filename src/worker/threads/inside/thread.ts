/**
 * What a thread of a threaded worker starts with: it loads the app, and then serves the requests that the main thread sends.
 *
 * An error that escapes the app ends the thread, as Node does it. The main thread notices, and starts another.
 */

import { isMainThread, workerData } from 'node:worker_threads';
import { findInterface, loadInterfaces, makeHandler, makeServer, prepareApp } from '../../../app/interfaces.ts';
import { askedFor, servedBy } from '../../../app/names.ts';
import { openProgram, type ProgramHost } from '../../../app/server-files/program.ts';
import { milliseconds } from '../../../config/durations.ts';
import { report } from '../../../errors.ts';
import type { End } from '../../../http/ends.ts';
import { ownThreadOutput } from '../../../log/output.ts';
import { beClusterWorker } from '../../../node/cluster-role.ts';
import { isMainError } from '../../../node/main-module.ts';
import { failureOf } from '../../failure/handler.ts';
import { sayWhatIsLoaded } from '../../loaded.ts';
import { measuresCpu, systemThread, threadUsage } from '../../metering/cpu.ts';
import { isMultiprocess } from '../../multiprocess.ts';
import { AnswerRing, Watch } from '../answer-ring.ts';
import { Claims } from '../claims.ts';
import type { ThreadOrder } from '../messages.ts';
import { ConnectionLoop } from './connection-loop.ts';
import { Outlet } from './outlet.ts';
import { allowOwnDirectory } from './own-directory.ts';
import { RequestLoop } from './request-loop.ts';

async function begin(order: ThreadOrder): Promise<void> {
  const { source, settings, port } = order;
  const outlet = new Outlet(port, new AnswerRing(order.answers), new Watch(order.watch));
  if (source.script !== undefined) process.argv[1] = source.script;
  process.on('uncaughtException', onEscape);
  ownThreadOutput();
  beClusterWorker();
  allowOwnDirectory();
  const sayLoaded = settings.reload ? sayWhatIsLoaded((files) => outlet.post(['loaded', files])) : undefined;
  if (sayLoaded !== undefined) process.once('exit', sayLoaded);
  try {
    const wanted = askedFor(settings.interface, source.app);
    await loadInterfaces(wanted);
    const program = await openProgram(source, wanted, hostOf(order, outlet));
    const { serves, listening, asked } = program;
    const { app, close } = await prepareApp(program.app, asked);
    const found = { interface: findInterface(app, asked), serves, askedFor: program.askedFor };
    if (servedBy(asked) === 'connections') {
      const onFailure = (peer: End, error: unknown) => outlet.post(['connectionFailed', peer, report(error)]);
      new ConnectionLoop(port, makeServer(app, asked, { onFailure }), { port, outlet, close, listening });
      return outlet.post(['ready', found, systemThread(), undefined]);
    }
    const handle = makeHandler(app, asked, {
      multithread: true,
      multiprocess: isMultiprocess(settings),
      fixed: order.surroundings.fixed,
      onErrorLine: (line) => outlet.post(['line', line]),
      onWarning: (warning) => outlet.post(['warning', warning]),
    });
    const ownLimits = handle.extras?.own;
    const keepAliveMs = ownLimits?.keepAliveMs ?? milliseconds(settings.keepAlive);
    // An older Node knows the CPU time of the whole process only.
    const measures = threadUsage !== undefined && measuresCpu(settings);
    const claims = new Claims(order.claims);
    const showFailure = settings.reload ? failureOf(order.surroundings.generation) : undefined;
    new RequestLoop({
      port,
      handle,
      claims,
      outlet,
      close,
      listening,
      keepAliveMs,
      measuresCpu: measures,
      showFailure,
    });
    outlet.post(['ready', found, systemThread(), ownLimits]);
  } catch (error) {
    sayLoaded?.();
    outlet.post(['bootFailed', report(error)]);
  } finally {
    process.off('uncaughtException', onEscape);
  }
}

function hostOf({ surroundings, port }: ThreadOrder, outlet: Outlet): ProgramHost {
  return {
    ...surroundings,
    say: (level, text) => outlet.post(['say', level, text]),
    waits: (why) => outlet.post(['waits', why]),
    sharing: 'threads',
    letGo: (isFree) => (isFree ? port.unref() : port.ref()),
  };
}

/** While the app is loaded: ends this thread for an escaped error, unless it is the error with which loading fails. */
function onEscape(error: Error, origin: NodeJS.UncaughtExceptionOrigin): void {
  // If the app listens, it deals with the error.
  if (process.listenerCount('uncaughtException') > 1) return;
  if (origin !== 'unhandledRejection') throw error;
  void isMainError(error, origin).then((isKnown) => {
    process.off('uncaughtException', onEscape);
    if (!isKnown) throw error;
  });
}

if (!isMainThread) void begin(workerData as ThreadOrder);
