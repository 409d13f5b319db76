import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Configuration } from '../../../src/config/load.ts';
import { isSamePlace, releaseOf } from '../../../src/master/generations/release.ts';
import { makeFolder } from '../../integration/harness.ts';

it('a release is where its files are without links, whatever is named', () => {
  const path = realpathSync(makeFolder().path);
  mkdirSync(join(path, 'releases/1/dist'), { recursive: true });
  mkdirSync(join(path, 'releases/2/dist'), { recursive: true });
  for (const release of [1, 2]) writeFileSync(join(path, `releases/${release}/app.mjs`), '');
  const link = (release: number) => {
    rmSync(join(path, 'current'), { force: true });
    symlinkSync(`releases/${release}`, join(path, 'current'));
  };
  const at = (app: string, others: Partial<Configuration> = {}) =>
    releaseOf({ app, directory: path, ...others } as Configuration);
  link(1);
  const first = at('current/app.mjs:create("a/b:c")');
  expect(first).toMatchObject({ app: join(path, 'releases/1/app.mjs:create("a/b:c")'), directory: path });
  expect(at('current/dist/main').app).toBe(join(path, 'releases/1/dist/main'));
  expect(at('current').app).toBe(join(path, 'releases/1'));
  expect(at('gone/app.mjs').app).toBe(join(path, 'gone/app.mjs'));
  expect(at('server', { script: join(path, 'current/app.mjs') })).toMatchObject({
    app: 'server',
    script: join(path, 'releases/1/app.mjs'),
  });
  expect(at('x', { hooksFrom: { file: join(path, 'current/app.mjs') } }).hooksFrom).toEqual({
    file: join(path, 'releases/1/app.mjs'),
  });
  expect(isSamePlace(first, at('current/app.mjs:create("a/b:c")'))).toBe(true);
  link(2);
  expect(isSamePlace(first, at('current/app.mjs:create("a/b:c")'))).toBe(false);
});
