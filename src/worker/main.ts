/**
 * Where a worker process begins. A terminal sends its signals to the whole process group, at any moment; what they mean is
 * the master's to say, so they are caught here before anything else is loaded.
 */

/** See `node/process-events.ts`, which goes on with it: Node keeps the `process.emit` of the moment it is first asked to listen. */
const taken = new Map<string, (...args: unknown[]) => boolean>();
const emit = process.emit as (...args: unknown[]) => boolean;
const ignore = () => {};
process.emit = function (this: NodeJS.Process, event: string, ...args: unknown[]) {
  return taken.get(event)?.(...args) === true || Reflect.apply(emit, this, [event, ...args]);
} as typeof process.emit;
Reflect.set(globalThis, Symbol.for('tsgun.process'), { taken, emit, ignore });

for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const)
  process.on(signal, ignore);

const { work } = await import('./work.ts').catch(tellMaster);
await work();

/** It imports nothing, as nothing may be there: see `ownFilesError` and `ipc/channel.ts`. */
function tellMaster(error: NodeJS.ErrnoException): Promise<never> {
  // The master has lines of its own for a want of descriptors.
  if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
  const remedy = 'have they been replaced? USR2 starts a new master, of what is installed now, beside this one';
  const message = `tsgun's own files cannot be loaded: ${error.message}: ${remedy}`;
  const report = { name: 'BootError', message, exitCode: 3 };
  return new Promise(() =>
    process.send?.({ cmd: 'NODE_TSGUN', tsgun: { type: 'boot_failed', error: report } }, () => process.exit(3)),
  );
}
