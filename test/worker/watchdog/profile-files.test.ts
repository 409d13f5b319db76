import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CpuProfile } from '../../../src/ipc/profiles.ts';
import { ProfileFiles } from '../../../src/worker/watchdog/profile-files.ts';
import { makeFolder } from '../../integration/harness.ts';

/** Whose samples are in functions of these names. */
function profile(...names: string[]): CpuProfile {
  const nodes = names.map((functionName, index) => ({
    id: index + 1,
    callFrame: { functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
  }));
  return { nodes, startTime: 0, endTime: 1, samples: nodes.map(({ id }) => id) };
}

describe('the files of CPU profiles', () => {
  it('hold the thread that was busiest, for its owner alone', () => {
    const { path } = makeFolder({});
    const files = new ProfileFiles(join(path, 'slow'));
    const file = files.next();
    files.write(file, [
      { thread: 'main', profile: profile('(idle)', '(idle)', 'a') },
      { thread: 'thread 1', profile: profile('a', 'b') },
    ]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(profile('a', 'b'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are ten at most', () => {
    const files = new ProfileFiles('slow');
    const names = new Set(Array.from({ length: 25 }, () => files.next()));
    expect(names.size).toBe(10);
  });

  it('replace what has their name, and follow no link', () => {
    const { path } = makeFolder({});
    const files = new ProfileFiles(join(path, 'slow'));
    const file = files.next();
    writeFileSync(join(path, 'precious'), 'precious');
    symlinkSync(join(path, 'precious'), file);
    files.write(file, [{ thread: 'main', profile: profile('a') }]);
    expect(readFileSync(join(path, 'precious'), 'utf8')).toBe('precious');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(profile('a'));
  });

  it('are no reason to fail', () => {
    const { path } = makeFolder({});
    const files = new ProfileFiles(join(path, 'slow'));
    rmSync(path, { recursive: true });
    files.write(files.next(), [{ thread: 'main', profile: profile('a') }]);
    files.write(files.next(), []);
  });
});
