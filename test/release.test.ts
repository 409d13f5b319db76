/** What `npm run release` would not let pass. */

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

type Package = { name: string; version: string; licence: string; isOptional: boolean };
/** Scripts without declarations: the types are those of their comments. */
const load = async <T>(path: string) => (await import(pathToFileURL(path).href)) as T;
const { isPermissive, installed, licenceReport } = await load<{
  isPermissive(expression: string): boolean;
  installed(lock: unknown): Package[];
  licenceReport(packages: readonly Package[]): { report: string; faults: string[] };
}>('build/release/licences.mjs');
const { contentFaults } = await load<{ contentFaults(files: readonly string[], bytes: number): string[] }>(
  'build/release/contents.mjs',
);

describe('licences', () => {
  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0)', true],
    ['MIT AND Apache-2.0', true],
    ['(MIT AND GPL-3.0)', false],
    ['GPL-3.0', false],
    ['unknown', false],
  ])('%s alone is enough: %s', (expression, wanted) => expect(isPermissive(expression)).toBe(wanted));

  it('of all that is installed with tsgun are permissive', () => {
    const packages = installed(JSON.parse(readFileSync('package-lock.json', 'utf8')));
    expect(packages.map(({ name }) => name)).toContain('yargs');
    expect(packages.map(({ name }) => name)).not.toContain('vitest');
    expect(licenceReport(packages).faults).toEqual([]);
  });

  it('are in the report, with those that are not', () => {
    const some = [{ name: 'a', version: '1.0.0', licence: 'GPL-3.0', isOptional: true }];
    expect(licenceReport(some).faults).toEqual(['a: GPL-3.0']);
    expect(licenceReport(some).report).toContain('| a | 1.0.0, where its platform is | GPL-3.0 |');
  });
});

describe('a package', () => {
  const needed = ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json', 'config.schema.json'];
  const built = ['dist/cli.js', 'dist/index.js', 'dist/index.cjs'];
  const files = [...needed, ...built, 'docs/tls.md'];

  it('may hold what users need', () => expect(contentFaults(files, 1000)).toEqual([]));

  it('may not hold sources, tests or secrets', () => {
    expect(contentFaults([...files, 'src/cli.ts', 'test/a.test.ts'], 1000)).toEqual([
      'src/cli.ts: nobody needs it',
      'test/a.test.ts: nobody needs it',
    ]);
    expect(contentFaults([...files, 'deploy/server.key'], 1000)).toEqual([
      'deploy/server.key: must not leave this machine',
    ]);
  });

  it('may not lack what is built, nor be huge', () => {
    expect(contentFaults(needed, 1000)).toEqual(built.map((file) => `${file}: is missing`));
    expect(contentFaults(files, 100 * 1024 ** 2)).toEqual(['100.0 MiB unpacked, more than 4']);
  });
});
