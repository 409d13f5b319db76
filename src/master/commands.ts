/** What a signal to the master means. What does SIGHUP do? It is here. */

export type Command = 'stop' | 'quit' | 'reload' | 'more' | 'fewer' | 'dismiss' | 'reopen' | 'upgrade';

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
 * @returns how to listen no more
 */
export function listenForCommands(enqueue: (command: Command, signal: NodeJS.Signals) => void): () => void {
  const listeners = (Object.entries(commands) as [NodeJS.Signals, Command][]).map(([signal, command]) => {
    const listener = () => enqueue(command, signal);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stopListening of listeners) stopListening();
  };
}
