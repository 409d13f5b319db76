/**
 * The entry point of a worker process. A terminal sends its signals to the whole process group, at any moment. Only the master
 * decides what they mean, so they are caught here before anything else is loaded.
 */

/**
 * Continued by `node/process-events.ts`. Node keeps the `process.emit` that it finds when a first listener is added, so it is
 * replaced now.
 */
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

/** Imports nothing, because tsgun's files may be missing: see `ownFilesError` and `ipc/channel.ts`. */
function tellMaster(error: NodeJS.ErrnoException): Promise<never> {
  // The master has its own log lines for a lack of descriptors.
  if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
  const remedy = 'have they been replaced? USR2 starts a new master, of what is installed now, beside this one';
  const message = `tsgun's own files cannot be loaded: ${error.message}: ${remedy}`;
  const report = { name: 'BootError', message, exitCode: 3 };
  return new Promise(() =>
    process.send?.({ cmd: 'NODE_TSGUN', tsgun: { type: 'boot_failed', error: report } }, () => process.exit(3)),
  );
}
