/**
 * Events of the process that tsgun deals with in the app's place. It has no listeners for them that the app could see or
 * remove: what an app, or a library such as signal-exit, does with a signal depends on who else listens (`process.emit`,
 * `process._events`).
 */

/** @returns whether the event has been dealt with; else the listeners of the app are called */
type Take = (...args: unknown[]) => boolean;

interface Entrance {
  readonly taken: Map<string, Take>;
  /** Node's. */
  readonly emit: (...args: unknown[]) => boolean;
  /** What listens for signals in the first moments. */
  readonly ignore: () => void;
}

/** Made where a worker begins (`worker/main.ts`); elsewhere there is nothing to take. */
function entrance(): Entrance {
  const found = Reflect.get(globalThis, Symbol.for('tsgun.process')) as Entrance | undefined;
  return found ?? { taken: new Map(), emit: process.emit as Entrance['emit'], ignore: () => {} };
}

export function takeEvent(event: string, take: Take): void {
  entrance().taken.set(event, take);
}

/** From now on the signal reaches `take`, even if the app has no listener for it. */
export function takeSignal(signal: NodeJS.Signals, take: Take): void {
  takeEvent(signal, take);
  watch(signal);
  // Node stops watching with the last listener.
  process.on('removeListener', (event) => {
    if (event === signal && process.listenerCount(signal) === 0) watch(signal);
  });
}

function watch(signal: NodeJS.Signals): void {
  const { ignore } = entrance();
  if (!process.listeners(signal).includes(ignore)) process.on(signal, ignore);
  hide(signal, ignore);
}

interface Emitter {
  _events?: Record<string, unknown>;
  _eventsCount?: number;
}

/** Takes a listener away without Node hearing of it; it stays where that cannot be done. */
function hide(event: string, listener: () => void): void {
  const { _events: events, _eventsCount: count } = process as Emitter;
  if (events?.[event] !== listener || count === undefined) return;
  delete events[event];
  (process as Emitter)._eventsCount = count - 1;
}

/** Calls the app's listeners, past `take`. @returns whether there are any */
export function emitToApp(event: string, ...args: unknown[]): boolean {
  return Reflect.apply(entrance().emit, process, [event, ...args]);
}
