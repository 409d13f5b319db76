/**
 * What `npm run build` makes of src: one file for each process and thread, and what they share. Node resolves and reads
 * each module anew in every worker, and its compiler warms up on that: with 60 files, an idle worker is 5 MB larger.
 */

import { defineConfig } from 'rolldown';

export default defineConfig({
  input: {
    cli: 'src/cli.ts',
    index: 'src/index.ts',
    validate: 'src/validate.ts',
    'worker/main': 'src/worker/main.ts',
    'worker/threads/inside/thread': 'src/worker/threads/inside/thread.ts',
    'worker/watchdog/thread': 'src/worker/watchdog/thread.ts',
    'typescript/hook-thread': 'src/typescript/hook-thread.ts',
    'config/generate': 'src/config/generate.ts',
  },
  platform: 'node',
  // Dependencies stay packages, which users can update and audit.
  external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('src/'),
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    // As deep as src/ipc/entries.ts and src/config: relative addresses of files hold in both.
    chunkFileNames: 'chunks/[name].js',
  },
});
