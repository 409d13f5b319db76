import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that run processes, which wait more than they compute. */
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
/** Tests that replace a module, need one as it is when it has just been loaded, or measure memory. */
const apart = [
  'test/app/{registry,idle-connections}.test.ts',
  'test/http/{farewells,field-guess,member-list,request-id}.test.ts',
  'test/worker/line.test.ts',
  'test/worker/threads/saturation.test.ts',
];
/** They begin first: at the end nothing would run beside them. */
const longest = [
  'master/exploration/exploration',
  'worker/threaded',
  'integration/log-faults',
  'integration/hung',
  'integration/descriptors',
  'worker/departed',
  'server-files/programs',
  'integration/tcp',
  'server-files/shutdown',
  'integration/tracers',
  'integration/unix-sockets',
  'server-files/listen',
  'examples/examples',
  'integration/pool',
  'integration/access-log',
  'integration/hooks',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((each) => moduleId.endsWith(`/${each}.test.ts`));
      return index === -1 ? longest.length : index;
    };
    // Files of one project share their processes while they follow each other.
    const projects = ['processes', 'apart', 'unit'];
    const projectOf = ({ project }: TestSpecification) => projects.indexOf(project.name);
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other) || projectOf(one) - projectOf(other));
  }
}

const common = {
  // More than there are cores, because most of them wait at any time. vitest's own number is one less than cores.
  maxWorkers: 2 * availableParallelism(),
  // Within a file.
  maxConcurrency: 3,
  setupFiles: ['test/setup.ts'],
  // A process for each file would take a third of the time of the unit tests.
  isolate: false,
  // Processes start on machines of every speed: a test waits for events, and this only ends one that waits in vain.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Likewise; vitest's own is one second.
  expect: { poll: { timeout: 50_000 } },
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'processes', include: processes, exclude: apart, ...common } },
      { test: { name: 'apart', include: apart, ...common, isolate: true } },
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...processes, ...apart], ...common } },
    ],
  },
});
