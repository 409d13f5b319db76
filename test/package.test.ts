/** What `npm install tsgun` brings. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Without the build, which `npm test` has made. */
function packed(): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // A list in npm 10, an object by the package's name in npm 11.
  const [contents] = Object.values(JSON.parse(output) as Record<string, { files: { path: string }[] }>);
  return contents!.files.map(({ path }) => path);
}

/** The files that a page links to by a relative address. */
function relativeLinks(page: string): string[] {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link = '']) => link);
  return links.filter((link) => !/^[a-z]+:/.test(link)).map((link) => posix.join(posix.dirname(page), link));
}

describe('npm pack', () => {
  const files = packed();
  const pages = files.filter((path) => path.endsWith('.md'));

  it('holds the README', () => expect(pages).toContain('README.md'));

  it.each(pages)('holds what %s links to', (page) => {
    const isPacked = (link: string) => files.some((path) => path === link || path.startsWith(`${link}/`));
    expect(relativeLinks(page).filter((link) => !isPacked(link))).toEqual([]);
  });
});
