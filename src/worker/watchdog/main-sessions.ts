/**
 * The watchdog's inspector sessions to the main thread. A process that ends while one is open says so on standard error
 * ("Waiting for the debugger to disconnect..."), and waits for it. So the main thread has them closed before it ends, and
 * none is opened after that.
 */

import { Session } from 'node:inspector';
import type { DebugSession } from './capture.ts';
import { cell } from './shared.ts';

let cells: Int32Array | undefined;
const open = new Set<MainSession>();

/** @param shared cells that the main thread reads and writes too */
export function shareSessions(shared: Int32Array): void {
  cells = shared;
}

/** Where the process ends, all that is asked fails. */
export function openSession(): DebugSession {
  return new MainSession();
}

/** The process ends: what was asked and is not answered fails. */
export function closeSessions(): void {
  for (const session of open) session.disconnect();
}

class MainSession implements DebugSession {
  private readonly session = new Session();

  constructor() {
    open.add(this);
    this.count(1);
    // Counted first: either the main thread sees it, or it is seen here that the main thread ends.
    if (cells !== undefined && Atomics.load(cells, cell.isEnding) === 1) this.forget();
    else this.session.connectToMainThread();
  }

  on(event: string, listener: (message: { params: unknown }) => void): void {
    this.session.on(event, listener as never);
  }

  post(method: string, params: object, callback: (error: Error | null, result?: object) => void): void {
    if (open.has(this)) this.session.post(method, params, callback);
    else queueMicrotask(() => callback(new Error('the session is closed')));
  }

  disconnect(): void {
    if (!open.has(this)) return;
    this.session.disconnect();
    this.forget();
  }

  private forget(): void {
    open.delete(this);
    this.count(-1);
  }

  private count(step: number): void {
    if (cells === undefined) return;
    Atomics.add(cells, cell.sessions, step);
    Atomics.notify(cells, cell.sessions);
  }
}
