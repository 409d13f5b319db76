/** What V8 made of tsgun's own code is kept for the next start, and used only where nobody else can have put it there. */

import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { makeFolder } from '../integration/harness.ts';

const writtenAt = new Date('2026-01-01T00:00:00Z');

beforeEach(() => {
  vi.unstubAllEnvs();
  vi.stubEnv('NODE_V8_COVERAGE', undefined);
});

/** A place for code, and one for what is kept of it. */
function place() {
  const { path } = makeFolder();
  const cache = join(path, 'cache');
  vi.stubEnv('XDG_CACHE_HOME', cache);
  const chunks = join(path, 'chunks');
  mkdirSync(chunks);
  const file = join(chunks, 'part.code.js');
  const kept = join(cache, 'tsgun', 'code');
  return {
    path,
    cache,
    kept,
    /** All versions of it are of one length, and of one time unless another is given. */
    write(word: 'one' | 'two', at = writtenAt) {
      writeFileSync(file, `"use strict"; (function (importMeta, value) { return [value + ' ${word}']; })\n`);
      utimesSync(file, at, at);
    },
    /** As another process would. */
    async start(url = pathToFileURL(join(chunks, 'part.js')).href) {
      vi.resetModules();
      const { runCode, keepCode } = await import('../../src/node/code-cache.ts');
      const meta = { url } as ImportMeta;
      const [result] = runCode('part', 'hash', meta, 'code');
      keepCode();
      return result;
    },
  };
}

describe('kept code', () => {
  it('is used at the next start', async () => {
    const { write, start, kept } = place();
    write('one');
    expect(await start()).toBe('code one');
    expect(readdirSync(kept)).toHaveLength(1);
    // The text has changed in a way that only its author can know of, so what runs is what was kept.
    write('two');
    expect(await start()).toBe('code one');
    expect(readdirSync(kept)).toHaveLength(1);
  });

  it('is not used for a file that was edited', async () => {
    const { write, start } = place();
    write('one');
    await start();
    write('two', new Date());
    expect(await start()).toBe('code two');
  });

  it('is not used for another copy of the same file, which would have the paths of this one in its stacks', async () => {
    const { write, start, kept, path } = place();
    write('one');
    await start();
    renameSync(join(path, 'chunks'), join(path, 'moved'));
    const moved = pathToFileURL(join(path, 'moved', 'chunks')).href;
    mkdirSync(join(path, 'moved', 'chunks'));
    renameSync(join(path, 'moved', 'part.code.js'), join(path, 'moved', 'chunks', 'part.code.js'));
    expect(await start(`${moved}/part.js`)).toBe('code one');
    expect(readdirSync(kept)).toHaveLength(2);
  });

  it('is made anew where it is broken', async () => {
    const { write, start, kept } = place();
    write('one');
    await start();
    const file = join(kept, readdirSync(kept)[0]!);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, 100));
    // V8 remembers the text of this process, and would not look at the file.
    write('two');
    expect(await start()).toBe('code two');
    expect(statSync(file).size).toBe(whole.length);
  });

  it.each([
    ['the folder of the cache', 'tsgun'],
    ['the folder in it', 'tsgun/code'],
  ])('is not used where others may write to %s', async (_, name) => {
    const { write, start, cache } = place();
    write('one');
    await start();
    chmodSync(join(cache, name), 0o777);
    write('two');
    expect(await start()).toBe('code two');
  });

  it('is not kept where others may write', async () => {
    const { write, start, cache } = place();
    mkdirSync(join(cache, 'tsgun'), { recursive: true });
    chmodSync(join(cache, 'tsgun'), 0o777);
    write('one');
    expect(await start()).toBe('code one');
    expect(readdirSync(join(cache, 'tsgun'))).toEqual([]);
  });

  it('is not needed: without a folder for it, the code runs', async () => {
    const { write, start, cache } = place();
    writeFileSync(cache, 'a file');
    write('one');
    expect(await start()).toBe('code one');
  });

  it.each(['NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'])('is not made under %s', async (name) => {
    const { write, start, path } = place();
    vi.stubEnv(name, '1');
    write('one');
    expect(await start()).toBe('code one');
    expect(readdirSync(path)).toEqual(['chunks']);
  });

  it('of former releases goes, the oldest first', async () => {
    const { write, start, kept } = place();
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    for (let age = 1; age <= 120; age++) {
      const file = join(kept, `old-${age}`);
      writeFileSync(file, '');
      const at = new Date(Date.now() - age * 1000);
      utimesSync(file, at, at);
    }
    write('one');
    await start();
    const names = readdirSync(kept);
    // The younger half, and the new one.
    expect(names).toHaveLength(51);
    expect(names).toContain('old-50');
    expect(names).not.toContain('old-51');
  });
});
