/**
 * Pauses a thread by its inspector, takes its stack, and resumes it. This works on a blocked thread while it runs JavaScript;
 * in native code, the answer comes when that returns. Nothing has to be enabled beforehand.
 */

import { type CallFrame, formatStack, type Script } from './stack.ts';

/** What is needed of a session: `inspector.Session`, or one that reaches a worker thread through the NodeWorker domain. */
export interface DebugSession {
  on(event: string, listener: (message: { params: unknown }) => void): unknown;
  post(method: string, params: object, callback: (error: Error | null, result?: object) => void): void;
  disconnect(): void;
}

/** Between two ticks or timers, only Node's own code is on the stack. Some steps later, the code that runs shows. */
const maxSteps = 100;

export interface Captured {
  readonly stack: string;
  /** The value of `expression`; undefined if it failed. */
  readonly value: unknown;
}

export interface CaptureOptions {
  /** Evaluated in the paused thread. Its value must be JSON. */
  readonly expression: string;
  /** Asked when the thread begins to answer, which may be late: whether the stack is still wanted. */
  readonly isWanted: () => boolean;
  /** How long to wait for a thread that runs no JavaScript. If absent, until it runs some. */
  readonly idleMs?: number;
  /** Asked after that time: a thread that runs, or waits for a processor, is not idle, and gets that time again. */
  readonly isRunning?: () => boolean;
  /** Called once, when the session is closed again; with undefined if no stack was taken. */
  readonly onEnd: (captured: Captured | undefined) => void;
  /** The thread is paused in somebody else's debugger, and was left as it is. */
  readonly onForeign: () => void;
}

export function capture(
  session: DebugSession,
  { expression, isWanted, idleMs, isRunning = () => false, onEnd, onForeign }: CaptureOptions,
): void {
  const scripts = new Map<string, Script>();
  let captured: Captured | undefined;
  let isOurs = false;
  let isForeign = false;
  let isClosing = false;
  let steps = 0;
  const closeOnError = (error: Error | null) => {
    if (error !== null) close();
  };
  const waitForIdle = (ms: number) => {
    setTimeout(() => {
      if (captured !== undefined || isClosing) return;
      if (isWanted() && isRunning()) waitForIdle(ms);
      else close();
    }, ms);
  };
  const isNodes = ({ url, location }: CallFrame) =>
    (scripts.get(location.scriptId)?.url ?? url ?? '').startsWith('node:');
  const close = () => {
    if (isClosing) return;
    isClosing = true;
    session.post('Debugger.disable', {}, () => {
      session.disconnect();
      if (isForeign) onForeign();
      else onEnd(captured);
    });
  };
  session.on('Debugger.scriptParsed', ({ params }) => {
    const { scriptId, url, sourceMapURL } = params as Script & { scriptId: string };
    scripts.set(scriptId, { url, ...(sourceMapURL ? { sourceMapURL } : {}) });
  });
  session.on('Debugger.paused', ({ params }) => {
    // Too late: the debugger is being disabled, which resumes the thread.
    if (isClosing) return;
    // A thread that was paused already is being debugged: to resume it would interfere with that.
    if (!isOurs) {
      isForeign = true;
      return;
    }
    if (captured !== undefined) return session.post('Debugger.resume', {}, close);
    const { callFrames } = params as { callFrames: CallFrame[] };
    if (callFrames.every(isNodes) && steps++ < maxSteps) return session.post('Debugger.stepInto', {}, closeOnError);
    let value: unknown;
    session.post('Runtime.evaluate', { expression, returnByValue: true, silent: true }, (error, result) => {
      if (error === null) value = (result as { result?: { value?: unknown } }).result?.value;
    });
    // The thread resumes before the stack is formatted, because reading a source map can take long.
    session.post('Debugger.resume', {}, () => {
      captured = { stack: formatStack(callFrames, scripts), value };
      close();
    });
  });
  session.post('Debugger.enable', {}, (error) => {
    isOurs = true;
    if (error !== null || isForeign || !isWanted()) close();
    else if (idleMs !== undefined) waitForIdle(idleMs);
  });
  // Posted together: a thread that comes out of native code must pause there, and not where it has got to meanwhile.
  session.post('Debugger.pause', {}, closeOnError);
}

/** Takes stacks one after another: two sessions would take each other for a debugger. */
export class Captures {
  private isBusy = false;
  private readonly waiting: CaptureOptions[] = [];
  private readonly open: () => DebugSession;

  constructor(open: () => DebugSession) {
    this.open = open;
  }

  run(options: CaptureOptions): void {
    if (this.isBusy) return void this.waiting.push(options);
    this.isBusy = true;
    capture(this.open(), {
      ...options,
      onEnd: (captured) => {
        this.next();
        options.onEnd(captured);
      },
      onForeign: () => {
        this.next();
        options.onForeign();
      },
    });
  }

  private next(): void {
    this.isBusy = false;
    // It may have waited for so long that it is no longer wanted.
    for (let options = this.waiting.shift(); options !== undefined; options = this.waiting.shift())
      if (options.isWanted()) return this.run(options);
      else options.onEnd(undefined);
  }
}
