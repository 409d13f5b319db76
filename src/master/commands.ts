/** The commands that the master obeys, who may give them, and what each signal means. What does SIGHUP do? It is here. */

import type { Fields } from '../logger.ts';

export type Command = 'stop' | 'quit' | 'reload' | 'more' | 'fewer' | 'dismiss' | 'reopen' | 'upgrade';

/** Who gives a command. */
export type Origin =
  | { readonly from: 'signal'; readonly signal: NodeJS.Signals }
  /** The socket that the command line speaks to. */
  | { readonly from: 'control' }
  /** The program that called `run`. */
  | { readonly from: 'program' }
  /** A source file has changed. */
  | { readonly from: 'watcher'; readonly file: string };

const commands: Partial<Record<NodeJS.Signals, Command>> = {
  SIGTERM: 'stop',
  SIGINT: 'quit',
  SIGQUIT: 'quit',
  SIGHUP: 'reload',
  SIGTTIN: 'more',
  SIGTTOU: 'fewer',
  SIGWINCH: 'dismiss',
  // Without a listener of its own, SIGUSR1 would start Node's inspector.
  SIGUSR1: 'reopen',
  SIGUSR2: 'upgrade',
};

/**
 * Handlers only enqueue: the master loop decides when a command is safe to obey.
 * @returns a function that stops listening
 */
export function listenForCommands(enqueue: (command: Command, origin: Origin) => void): () => void {
  const listeners = (Object.entries(commands) as [NodeJS.Signals, Command][]).map(([signal, command]) => {
    const listener = () => enqueue(command, { from: 'signal', signal });
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stopListening of listeners) stopListening();
  };
}

/** How the log names the giver of a command. */
export function originFields(origin: Origin): Fields {
  if (origin.from === 'signal') return { signal: origin.signal };
  return origin.from === 'watcher' ? { from: origin.from, file: origin.file } : { from: origin.from };
}

/** npm forwards a TERM that its process group or container has already received. */
const echoMs = 1000;

/** The request to stop that is being obeyed. */
export interface StopRequest {
  readonly origin: Origin;
  readonly at: number;
}

/** Whether a request to stop is most likely a second copy of the first one. */
export function isEcho(first: StopRequest, { origin, at }: StopRequest): boolean {
  const isSame = origin.from === 'signal' && first.origin.from === 'signal' && origin.signal === first.origin.signal;
  return isSame && at - first.at < echoMs;
}
