/**
 * Where a worker process begins. A terminal sends its signals to the whole process group, at any moment; what they mean is
 * the master's to say, so they are caught here before anything else is loaded.
 */

for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const)
  process.on(signal, () => {});

const { work } = await import('./work.ts');
await work();
