/** What `npm install tsgun` brings. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { linksOf } from './docs/markdown.ts';

const folder = mkdtempSync(join(tmpdir(), 'tsgun-pack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Without the build, which `npm test` has made. */
function pack(): { archive: string; files: string[] } {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // A list in npm 10, an object by the package's name in npm 11.
  type Contents = { filename: string; files: { path: string }[] };
  const [contents] = Object.values(JSON.parse(output) as Record<string, Contents>);
  return { archive: join(folder, contents!.filename), files: contents!.files.map(({ path }) => path) };
}
const { archive, files } = pack();

/** The files that a page links to by a relative address. */
function relativeLinks(page: string): string[] {
  return linksOf({ name: page, text: readFileSync(page, 'utf8') })
    .map(({ target }) => target.replace(/#.*/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
    .map((link) => posix.join(posix.dirname(page), link));
}

describe('npm pack', () => {
  const pages = files.filter((path) => path.endsWith('.md'));

  it('holds the README', () => expect(pages).toContain('README.md'));

  it('holds the types of its public surface, and of nothing else', () => {
    expect(files.filter((path) => /^dist.*\.d\.[cm]?ts$/.test(path)).sort()).toEqual([
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/validate.d.cts',
      'dist/validate.d.ts',
    ]);
  });

  it('holds the pages of the documentation, and nothing of the site that is made of them', () => {
    expect(pages).toContain('docs/settings.md');
    expect(files.filter((path) => /vitepress|docs\/index/.test(path))).toEqual([]);
  });

  it.each(pages)('holds what %s links to', (page) => {
    const isPacked = (link: string) => files.some((path) => path === link || path.startsWith(`${link}/`));
    expect(relativeLinks(page).filter((link) => !isPacked(link))).toEqual([]);
  });
});

describe('the packed package, to those who judge packages', () => {
  it('has no fault in publint', () => {
    const program = 'node_modules/publint/src/cli.js';
    const output = execFileSync(process.execPath, [program, archive, '--strict'], { encoding: 'utf8' });
    expect(output).toContain('All good!');
  });

  it('has types for every kind of module and resolution (@arethetypeswrong/cli)', () => {
    const program = 'node_modules/@arethetypeswrong/cli/dist/index.js';
    const output = execFileSync(process.execPath, [program, archive], { encoding: 'utf8' });
    expect(output).toContain('No problems found');
  });
});
