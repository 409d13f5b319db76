/**
 * Takes the JavaScript stack of a thread that does not return, by the inspector's NodeWorker domain. Nothing is prepared in the
 * thread, so this costs nothing until it is needed.
 */

import { Session } from 'node:inspector';
// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Worker } from 'node:worker_threads';
import { inspecting } from './pause-lock.ts';
import { type CallFrame, formatStack, type Script } from './stack.ts';

/**
 * A thread in a native call runs no JavaScript and cannot pause. On an overloaded machine, one that runs JavaScript may also
 * answer late.
 */
const patienceMs = 2000;
/** How long an unanswered pause request may take to be cancelled. */
const cancelMs = 300;
export const inNativeCode = 'in native code, or waiting: no JavaScript frames';

interface WorkerMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Partial<Script> & { readonly callFrames?: readonly CallFrame[]; readonly scriptId?: string };
}

/** @returns the stack; the thread runs on. Undefined if this Node has no inspector */
export function captureStack(worker: Worker, ms = patienceMs): Promise<string | undefined> {
  return inspecting(() => capture(worker, ms));
}

async function capture(worker: Worker, ms: number): Promise<string | undefined> {
  const session = new Session();
  try {
    session.connect();
    return await stackOf(session, worker.threadId, ms);
  } catch {
    return undefined;
  } finally {
    session.disconnect();
  }
}

async function stackOf(session: Session, threadId: number, ms: number): Promise<string> {
  const title = `[worker ${threadId}]`;
  let sessionId = '';
  let lastId = 0;
  const tell = (method: string) => {
    const message = JSON.stringify({ id: ++lastId, method });
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message });
  };
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    if (!params.workerInfo.title.startsWith(title)) return;
    sessionId = params.sessionId;
    tell('Debugger.enable');
    tell('Debugger.pause');
  });
  let take: (message: WorkerMessage) => void = () => {};
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    if (params.sessionId === sessionId) take(JSON.parse(params.message) as WorkerMessage);
  });
  const scripts = new Map<string, Script>();
  const stack = await within<string | undefined>(ms, undefined, (resolve) => {
    take = ({ method, params = {} }) => {
      if (method === 'Debugger.scriptParsed') scripts.set(params.scriptId ?? '', { url: '', ...params });
      else if (method === 'Debugger.paused') resolve(formatStack(params.callFrames ?? [], scripts));
    };
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  });
  // A thread that is paused here, or about to be, cannot be ended: `terminate()` would never settle.
  if (sessionId !== '')
    await within(stack === undefined ? cancelMs : patienceMs, undefined, (resolve) => {
      // Before the question: the answer may come while it is posted.
      const last = lastId + 2;
      take = ({ id }) => id === last && resolve(undefined);
      tell('Debugger.resume');
      tell('Debugger.disable');
    });
  await new Promise<void>((resolve) => session.post('NodeWorker.disable', () => resolve()));
  return stack ?? inNativeCode;
}

/** What `begin` resolves with; `otherwise` if that takes longer than `ms`. */
function within<T>(ms: number, otherwise: T, begin: (resolve: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise), ms);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
