/** Which saves are heard of under `--reload`, with real files. */

import { mkdirSync, renameSync, rmSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { foldersOf } from '../../../src/master/watcher/folders.ts';
import { Saves, type SavesOptions } from '../../../src/master/watcher/saves.ts';
import { onTestFinished } from '../../current.ts';
import { eventually, makeFolder } from '../../integration/harness.ts';

function begin(names: readonly string[], options: Partial<SavesOptions> = {}, readAt = Number.POSITIVE_INFINITY) {
  const folder = makeFolder();
  for (const each of ['src', 'src/lib']) mkdirSync(join(folder.path, each));
  const at = (name: string) => join(folder.path, name);
  for (const name of names) writeFileSync(at(name), 'old');
  const saved: { file: string; count: number }[] = [];
  const refusals: string[] = [];
  const saves = new Saves({
    onSave: (file, count) => saved.push({ file, count }),
    onRefused: ({ code = '' }) => refusals.push(code),
    ...options,
  });
  onTestFinished(() => saves.close());
  const watch = (files: readonly string[]) => saves.set(new Set(files.map(at)), folder.path, readAt);
  watch(names);
  return { at, saved, refusals, watch };
}

/** The first save, and after it those of a file that is saved last: what comes between is known then. */
async function allSaves({ at, saved }: Pick<ReturnType<typeof begin>, 'at' | 'saved'>, last: string) {
  await eventually(() => saved.length > 0);
  const before = saved.length;
  writeFileSync(at(last), 'the last');
  await eventually(() => saved.slice(before).some(({ file }) => file === at(last)));
  return saved.slice(0, -1).map(({ file }) => file);
}

const files = ['src/a.ts', 'src/lib/b.ts', 'last.ts'];

describe('a save is heard of once', () => {
  it('where it writes the file in place', async () => {
    const world = begin(files);
    writeFileSync(world.at('src/lib/b.ts'), 'new');
    expect(await allSaves(world, 'last.ts')).toEqual([world.at('src/lib/b.ts')]);
  });

  it('where it renames another file over it, as editors do', async () => {
    const world = begin(files);
    for (const text of ['one', 'two']) {
      const before = world.saved.length;
      writeFileSync(world.at('src/.a.ts.swp'), text);
      renameSync(world.at('src/.a.ts.swp'), world.at('src/a.ts'));
      await eventually(() => world.saved.length > before);
    }
    expect(await allSaves(world, 'last.ts')).toEqual([world.at('src/a.ts'), world.at('src/a.ts')]);
  });

  it('where the file is empty, or gone, for a moment', async () => {
    const world = begin(files);
    truncateSync(world.at('src/a.ts'));
    unlinkSync(world.at('src/lib/b.ts'));
    setTimeout(() => writeFileSync(world.at('src/a.ts'), 'new'), 100);
    setTimeout(() => writeFileSync(world.at('src/lib/b.ts'), 'new'), 120);
    const saved = await allSaves(world, 'last.ts');
    expect(new Set(saved)).toEqual(new Set([world.at('src/a.ts')]));
  });

  it('with many files, as a change of branch', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `src/lib/${index}.ts`);
    const world = begin([...names, 'last.ts']);
    for (const name of names) writeFileSync(world.at(name), 'new');
    const saved = await allSaves(world, 'last.ts');
    expect(saved.length).toBeLessThan(10);
    expect(world.saved.reduce((sum, { count }) => sum + count, 0)).toBe(301);
  });
});

describe('what else counts as a save', () => {
  it('a file that vanishes, and one that comes back', async () => {
    const world = begin(files);
    unlinkSync(world.at('src/a.ts'));
    await eventually(() => world.saved.length === 1);
    writeFileSync(world.at('src/a.ts'), 'new');
    await eventually(() => world.saved.length === 2);
    expect(world.saved.map(({ file }) => file)).toEqual([world.at('src/a.ts'), world.at('src/a.ts')]);
  });

  it('a folder that is replaced, whose files are watched from then on', async () => {
    const world = begin(files);
    for (const round of ['one', 'two']) {
      const before = world.saved.length;
      mkdirSync(world.at('next/lib'), { recursive: true });
      for (const name of ['a.ts', 'lib/b.ts']) writeFileSync(world.at(`next/${name}`), round);
      renameSync(world.at('src'), world.at(`old-${round}`));
      renameSync(world.at('next'), world.at('src'));
      await eventually(() => world.saved.length > before);
    }
    const before = world.saved.length;
    writeFileSync(world.at('src/lib/b.ts'), 'in the new folder');
    await eventually(() => world.saved.slice(before).some(({ file }) => file === world.at('src/lib/b.ts')));
  });

  it('a folder that is removed, and made again', async () => {
    const world = begin(files);
    rmSync(world.at('src'), { recursive: true });
    await eventually(() => world.saved.length > 0);
    const before = world.saved.length;
    mkdirSync(world.at('src'));
    writeFileSync(world.at('src/a.ts'), 'back');
    await eventually(() => world.saved.slice(before).some(({ file }) => file === world.at('src/a.ts')));
  });

  it('a file that an import looked for in vain, be it without its extension', async () => {
    const world = begin(files);
    world.watch([...files, 'src/missing', 'src/built.js']);
    writeFileSync(world.at('src/missing.ts'), 'here');
    await eventually(() => world.saved.some(({ file }) => file === world.at('src/missing')));
    writeFileSync(world.at('src/built.ts'), 'here');
    await eventually(() => world.saved.some(({ file }) => file === world.at('src/built.js')));
  });

  it('what was written after it was read and before it was watched', async () => {
    const world = begin(['src/a.ts'], {}, Date.now() - 60_000);
    await eventually(() => world.saved.length === 1);
  });

  it('not a file of a machine whose clock is ahead', async () => {
    const world = begin(files);
    writeFileSync(world.at('src/new.ts'), 'new');
    const ahead = Date.now() / 1000 + 3600;
    utimesSync(world.at('src/new.ts'), ahead, ahead);
    world.watch([...files, 'src/new.ts']);
    writeFileSync(world.at('src/a.ts'), 'new');
    expect(await allSaves(world, 'last.ts')).toEqual([world.at('src/a.ts')]);
  });

  it('not a file beside those that are watched', async () => {
    const world = begin(files);
    writeFileSync(world.at('src/notes.txt'), 'new');
    writeFileSync(world.at('src/a.ts'), 'new');
    expect(await allSaves(world, 'last.ts')).toEqual([world.at('src/a.ts')]);
  });
});

describe('a system that has no room for another watch', () => {
  it.each(['ENOSPC', 'EMFILE'])('%s is said once, and files are looked at in intervals', async (code) => {
    const refuse = () => {
      throw Object.assign(new Error(`${code}: no more`), { code });
    };
    const world = begin(files, { watch: refuse, intervalMs: 20 });
    writeFileSync(world.at('src/lib/b.ts'), 'new');
    await eventually(() => world.saved.length === 1);
    writeFileSync(world.at('src/lib/b.ts'), 'newer');
    await eventually(() => world.saved.length === 2);
    expect(world.refusals).toEqual([code]);
  });
});

it('folders above a file are watched up to the project, and none outside', () => {
  expect(foldersOf('/p/src/lib/b.ts', '/p')).toEqual(['/p/src/lib', '/p/src', '/p']);
  expect(foldersOf('/p/a.ts', '/p')).toEqual(['/p']);
  expect(foldersOf('/elsewhere/deep/a.ts', '/p')).toEqual(['/elsewhere/deep']);
});
