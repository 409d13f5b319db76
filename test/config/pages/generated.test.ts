import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../../src/config/load.ts';
import { environmentText } from '../../../src/config/pages/examples.ts';
import { declarationOf, settingNames } from '../../../src/config/settings.ts';
import { readJson } from '../../../src/config/sources/json-file.ts';
import { sourceOf } from '../../../src/config/sources/sources.ts';
import { onTestFinished } from '../../current.ts';

const schema = JSON.parse(readFileSync('config.schema.json', 'utf8'));
const validate = new Ajv({ strict: true, strictTypes: true }).compile(schema);
const example = readFileSync('config.example.json', 'utf8');

/** What tsgun says to a config file that holds this. */
const problems = (content: unknown) => resolveSettings([sourceOf(content, { name: 'x.json' })]).problems;

describe('what is generated from the settings table', () => {
  it('is up to date', () => {
    const { stderr } = spawnSync(process.execPath, ['dist/config/generate.js', '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
  });

  it('config.example.json holds every setting, and tsgun and the schema accept it as it stands', () => {
    const { content, problems: read } = readJson(example, 'config.example.json');
    expect(Object.keys(content as object).sort()).toEqual(['$schema', ...settingNames].sort());
    expect([...read, ...problems(content)]).toEqual([]);
    expect(validate(content)).toBe(true);
  });

  it.each(settingNames)('docs/settings.md has %s', (name) => {
    expect(readFileSync('docs/settings.md', 'utf8')).toContain(`\n### ${name}\n`);
  });
});

describe('the schema', () => {
  it.each(settingNames)('accepts the example and the default of %s, as tsgun does', (name) => {
    const { example: value, default: fallback } = declarationOf(name);
    for (const content of [{ [name]: value }, { [name]: fallback }]) {
      expect(validate(content), JSON.stringify(validate.errors)).toBe(true);
      expect(problems(content)).toEqual([]);
    }
  });

  it.each([
    { wrokers: 2 },
    { workers: 'four' },
    { workers: 0 },
    { workerClass: 'gevent' },
    { timeout: 0.1 },
    { timeout: '30' },
    { bind: [] },
    { umask: '999' },
    { env: ['A'] },
    { preFork: 'x' },
    { statsdHost: 'h:0' },
    { statsdHost: 'h:65536' },
    [],
  ])('refuses %j', (content) => expect(validate(content)).toBe(false));

  it.each(['h:1', 'h:9999', 'h:18125', 'h:59999', 'h:65535', '[::1]:64999'])(
    'accepts the StatsD server %s',
    (address) => {
      const content = { statsdHost: address };
      expect(validate(content), JSON.stringify(validate.errors)).toBe(true);
      expect(problems(content)).toEqual([]);
    },
  );

  const values = [
    null,
    true,
    -1,
    0,
    0.5,
    1,
    2,
    80,
    1e6,
    1e10,
    '',
    ' ',
    '022',
    'auto',
    'x',
    'h:1',
    '0',
    {},
    { A: 'b' },
    { A: 1 },
    [],
    ['A=b'],
    ['h:1'],
  ];
  it.each(settingNames)('accepts nothing for %s that tsgun refuses', (name) => {
    for (const value of values) {
      // An address is a text to the schema; its form is for tsgun to check.
      if (name === 'bind' || name === 'adminBind' || !validate({ [name]: value })) continue;
      expect(problems({ [name]: value }), JSON.stringify(value)).toEqual([]);
    }
  });
});

it.each(settingNames)('the environment takes the example of %s in the form that the documentation shows', (name) => {
  const { example: value, parse } = declarationOf(name);
  expect(parse(environmentText(value))).toEqual(parse(value));
});

it('npm run check:generated fails when a file differs from the table, and names it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync('dist', join(folder, 'dist'), { recursive: true });
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const generate = (...args: string[]) =>
    spawnSync(process.execPath, [join(folder, 'dist/config/generate.js'), ...args], { encoding: 'utf8' });
  expect(generate()).toMatchObject({ status: 0, stderr: '' });
  expect(generate('--check')).toMatchObject({ status: 0, stderr: '' });
  for (const name of ['config.example.json', 'config.schema.json', 'docs/settings.md', 'docs/log.md']) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('worker', 'wroker'));
    const stderr = `${name} is not what the code declares: run npm run generate\n`;
    expect(generate('--check')).toMatchObject({ status: 1, stderr });
    writeFileSync(path, text);
  }
});
