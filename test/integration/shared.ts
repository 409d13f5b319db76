/** A server for all tests of a `describe` or a file, where none of them depends on how the others left it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { isAlive, type LogLine, type StartOptions, start, type Tsgun, writeFiles } from './harness.ts';

export interface Shared {
  /** To be asked for within the tests. */
  readonly tsgun: Tsgun;
  readonly path: string;
  /** Writes these files, and has them loaded. @returns a function for the lines of the log from then on */
  reload(files: Record<string, string>): Promise<() => LogLine[]>;
}

/**
 * Starts it ahead of the tests, waits until its workers are ready, and stops it after them.
 * @param workers how many there are
 */
export function shareServer(
  files: Record<string, string>,
  app: string,
  args: readonly string[] = [],
  workers = 1,
  options: StartOptions = {},
): Shared {
  let path: string;
  let tsgun: Tsgun;
  beforeAll(async () => {
    path = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
    writeFiles(path, files);
    tsgun = start(app, ['--workers', String(workers), ...args], { cwd: path, isShared: true, ...options });
    await tsgun.workers(workers);
  });
  afterAll(async () => {
    try {
      await tsgun.stop();
    } finally {
      for (const pid of [tsgun.pid, ...tsgun.living()]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      rmSync(path, { recursive: true, force: true });
    }
  });
  return {
    get tsgun() {
      return tsgun;
    },
    get path() {
      return path;
    },
    async reload(changed) {
      const lines = tsgun.log.length;
      const reloads = tsgun.lines('reload_finished').length;
      writeFiles(path, changed);
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_finished', reloads + 1);
      return () => tsgun.log.slice(lines);
    },
  };
}
