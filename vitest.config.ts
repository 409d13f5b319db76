import { defineConfig } from 'vitest/config';

/** Tests that run processes: they wait more than they compute, so more of them run at once than there are cores. */
const processes = [
  'test/apps/**/*.test.ts',
  'test/docs/getting-started.test.ts',
  'test/embed/{run,readme}.test.ts',
  'test/examples/**/*.test.ts',
  'test/integration/**/*.test.ts',
  'test/server-files/*.test.ts',
  'test/typescript/{imports,project}.test.ts',
  'test/worker/*.test.ts',
];
/** Those among them that hold something to the clock: a stop within a second, a stack within its time. No more at once than cores. */
const clocked = [
  'test/integration/{balance,crashes,descriptors,hung,log-faults,overstay}.test.ts',
  'test/worker/{departed,threaded}.test.ts',
];
// Processes start on machines of every speed: a test waits for events, and this only ends one that waits in vain.
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'processes',
          include: processes,
          exclude: clocked,
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
          ...timeouts,
        },
      },
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: processes,
          sequence: { groupOrder: 1 },
          ...timeouts,
        },
      },
      {
        test: {
          name: 'clocked',
          include: clocked,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          ...timeouts,
        },
      },
    ],
  },
});
