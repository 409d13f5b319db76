/** Turns an order into a worker that accepts: app, class and hooks. */

import type { Handler } from '../app/handler.ts';
import type { PreparedApp } from '../app/interface.ts';
import { prepareApp } from '../app/interfaces.ts';
import { type AskedInterface, schemeOf, servedBy } from '../app/names.ts';
import type { Listening } from '../app/server-files/listening.ts';
import { openProgram, type Program, type ProgramHost } from '../app/server-files/program.ts';
import type { Found } from '../ipc/messages.ts';
import type { WorkerOrder } from '../ipc/order.ts';
import type { Logger } from '../logger.ts';
import { keepCode } from '../node/code-cache.ts';
import { longBootMs, tellIfLong, tellWaits, whileLong } from './boot-waits.ts';
import { bulkheads } from './bulkheads.ts';
import type { Worker } from './classes/worker.ts';
import { explainEarlyExit } from './ending/early-exit.ts';
import { become } from './identity.ts';
import { CpuClock, CpuMeter, measuresCpu } from './metering/cpu.ts';
import type { Own } from './own.ts';
import type { Parts } from './parts.ts';
import { type ProgramSurroundings, prepareSurroundings } from './surroundings.ts';

export interface Booted {
  readonly worker: Worker;
  readonly found: Found;
  /** The scheme of the URLs at which it is served. */
  readonly scheme: string;
  /** The servers that the app itself has opened with `listen`, if it is loaded in the main thread. */
  readonly listening: Listening | undefined;
  /** Closes the app. */
  readonly close: PreparedApp['close'];
}

interface Loaded extends Program, PreparedApp {}

/** @param watch called before anything of the app runs, and after rights are given up */
export async function boot(order: WorkerOrder, own: Own, parts: Parts, watch: () => void): Promise<Booted> {
  const { name, log, hooks, tracker, shortages, observers, answerClaims, health, certificates } = parts;
  const { settings, sockets, hooksFrom, slot } = order;
  const surroundings = prepareSurroundings(order);
  const longMs = longBootMs(settings);
  if (typeof hooksFrom === 'object')
    await tellIfLong(
      longMs,
      hooks.readFile(hooksFrom.file),
      'the config module has not finished loading, or its hook postFork has not returned',
    );
  if (order.identity !== undefined) {
    // Kept now: the user that this process becomes may not write to this user's cache.
    keepCode();
    become(order.identity);
  }
  watch();
  const isElsewhere = own.makeWorker.loadsApp === false && hooksFrom !== 'script';
  const { instead } = own;
  const loaded =
    instead !== undefined
      ? nothing(instead.interface, instead.app)
      : isElsewhere
        ? nothing(own.asked)
        : await load(order, own.asked, surroundings, log);
  if (hooksFrom === 'script') await hooks.takeOffered();
  const { app, asked, serves, askedFor, listening, close } = loaded;
  const isAsPlanned = servedBy(asked) === servedBy(own.asked);
  const makeWorker = isAsPlanned ? own.makeWorker : own.makeRawWorker!;
  const { onError } = hooks;
  const { generation } = order;
  const { handlerFailures } = own;
  const observe = (handle: Handler) => {
    const observed = health.around(hooks.observe(handle, observers));
    return handlerFailures === undefined ? observed : handlerFailures.answerWaiting(observed, generation);
  };
  const { connection: onBegin } = tracker;
  // A sync worker runs one request at a time: one that waits for a place would hold up all others.
  const limits = settings.workerClass === 'sync' ? [] : settings.limitConcurrency;
  const measures = measuresCpu(settings) && settings.workerClass !== 'threaded';
  const clock = new CpuClock(settings.workerClass === 'sync' ? 0 : undefined);
  // In the threaded class, each thread measures its own requests.
  const meter = measures ? new CpuMeter(clock, limits.length > 0) : undefined;
  const track = (handle: Handler) =>
    tracker.http(bulkheads(limits, meter === undefined ? handle : meter.around(handle), settings.shed === 'auto'));
  const overload = own.Overload && new own.Overload({ order, name, log, observers });
  const from = { app, asked, source: order, surroundings };
  const tls = sockets.some(({ isTls }) => isTls === true) ? await certificates.open(settings, log) : undefined;
  const worker = makeWorker({
    ...from,
    tls,
    settings,
    sockets,
    log,
    observers,
    observe,
    onError,
    showFailure: handlerFailures?.failureOf(generation),
    track: (handle) => overload?.around(track(handle)) ?? track(handle),
    onBegin,
    slot,
    shortages,
    answerClaims,
  });
  if (overload !== undefined) overload.inProgress = () => worker.serving.running();
  // Its threads tell what they wait for, unless they are blocked.
  await whileLong(2 * longMs, worker.load?.(), () => void tellBlocked(worker));
  await tellIfLong(longMs, hooks.initialized(), 'the hook postWorkerInit has not returned');
  await worker.start();
  const found = worker.found ?? { interface: worker.interface, serves, askedFor };
  const scheme = schemeOf(found.interface as AskedInterface);
  return { worker, found, scheme, listening, close };
}

/** Some thread has not loaded the app. If it had said itself what it waits for, that would count. */
async function tellBlocked(worker: Worker): Promise<void> {
  const stack = await worker.whereItLoads?.();
  const guess = 'none of its threads has loaded the app yet: does the app compute, or wait?';
  tellWaits(stack === undefined ? guess : 'code of the app has not returned, see the stack', true, stack);
}

/** For a class or a test that loads no app here. @param app is served in its place, if given */
function nothing(asked: AskedInterface, app?: unknown): Loaded {
  return { app, asked, listening: undefined, close: async () => {} };
}

async function load(
  order: WorkerOrder,
  asked: AskedInterface,
  surroundings: ProgramSurroundings,
  log: Logger,
): Promise<Loaded> {
  const isOver = explainEarlyExit();
  const host: ProgramHost = {
    ...surroundings,
    say: (level, text) => log.say(level, {}, text),
    waits: (why) => tellWaits(why),
    sharing: 'cluster',
    letGo: (isFree) => (isFree ? process.channel?.unref() : process.channel?.ref()),
  };
  try {
    const program = await openProgram(order, asked, host);
    const prepared = prepareApp(program.app, program.asked);
    return {
      ...program,
      ...(await tellIfLong(longBootMs(order.settings), prepared, 'the app is loaded, but its plugins are not ready')),
    };
  } finally {
    isOver();
  }
}
