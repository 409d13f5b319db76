/**
 * What `npm run build` makes of src: one file for each process and thread, and what processes share. Node resolves and reads
 * each module anew in every worker, and its compiler warms up on that: with 60 files, an idle worker is 5 MB larger.
 */

import { defineConfig } from 'rolldown';
import { cachedCode, codeCacheEntry } from './build/cached-code.mjs';
import { ownOptions } from './build/own-options.mjs';

const common = {
  platform: 'node',
  // Dependencies stay packages, which users can update and audit.
  external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('src/'),
};

/** Every process and thread keeps its source in memory, two bytes for each character if one of them is not Latin-1. */
const comments = false;

/** All of a thread's code in one file: see src/worker/thread-code.ts. What only TypeScript needs is loaded when it is met. */
const thread = (path) => ({
  ...common,
  input: `src/${path}.ts`,
  external: (id) => id.endsWith('/typescript/load.ts') || common.external(id),
  transform: { define: { 'import.meta': 'importMeta' } },
  output: {
    comments,
    file: `dist/${path}.cjs`,
    format: 'cjs',
    codeSplitting: false,
    strict: true,
    intro: 'const { importMeta } = module;',
    paths: (id) => (id.endsWith('/typescript/load.ts') ? '../../../typescript/load.js' : id),
  },
});

export default defineConfig([
  {
    ...common,
    input: {
      cli: 'src/cli.ts',
      index: 'src/index.ts',
      validate: 'src/validate.ts',
      'worker/main': 'src/worker/main.ts',
      'typescript/load': 'src/typescript/load.ts',
      'typescript/hook-thread': 'src/typescript/hook-thread.ts',
      'config/generate': 'src/config/pages/generate.ts',
      // No file: `cachedCode` imports it into others.
      [codeCacheEntry]: 'src/node/code-cache.ts',
    },
    plugins: [cachedCode(['first', 'base', 'serving', 'work', 'start']), ownOptions('cli.js')],
    output: {
      comments,
      dir: 'dist',
      format: 'esm',
      entryFileNames: '[name].js',
      // As deep as src/ipc/entries.ts and src/config: relative addresses of files hold in both.
      chunkFileNames: 'chunks/[name].js',
      // What one process loads is in few files; the master has no use for what serves.
      codeSplitting: {
        groups: [
          // All that a command for a running instance needs of what is not its own.
          // It runs the others.
          { name: 'code-cache', priority: 3, test: /src\/node\/(code|user)-cache/ },
          { name: 'first', priority: 2, test: /src\/(errors|descriptors|ipc\/control)\.ts/ },
          {
            name: 'base',
            priority: 1,
            test: /src\/(app-reference|errors|descriptors|hooks|logger|log\/|ipc\/|node\/|config\/(?:\w+\/)?(durations|addresses|parsers|suggest|cpus|cgroups|version|tls|statsd|access-fields|access-atoms|kebab-case)|typescript\/files|app\/(registry|names|detect|\w+\/interface))/,
          },
          { name: 'serving', test: /src\/(http|app|worker)\/(?!main|work\.ts|failure)/ },
        ],
      },
    },
  },
  thread('worker/threads/inside/thread'),
  thread('worker/watchdog/thread'),
  // A package of its own.
  {
    ...common,
    input: 'packages/create-tsgun/src/main.ts',
    output: { comments, dir: 'packages/create-tsgun/dist', format: 'esm', entryFileNames: '[name].js', cleanDir: true },
  },
]);
