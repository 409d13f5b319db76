import { describe, expect, it } from 'vitest';
import { makeFolder, start, Tsgun } from './harness.ts';

async function print(files: Record<string, string>, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { path } = makeFolder(files);
  const tsgun = new Tsgun(['--print-config', ...args], { cwd: path, env });
  const { code } = await tsgun.exited;
  const row = (name: string) =>
    tsgun.stdout
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.replace(/ {2,}/g, ' | ');
  return { code, stderr: tsgun.text, workers: row('workers'), bind: row('bind'), path };
}

describe('a config file', () => {
  it.each([
    ['tsgun.config.ts', 'interface A { a: 1 }\nexport default {\n  workers: 3,\n};', 'tsgun.config.ts:3'],
    ['tsgun.config.mts', 'const workers: number = 3;\nexport default {\n  workers,\n};', 'tsgun.config.mts:3'],
    ['tsgun.config.cts', "module.exports = {\n  'workers': 3 as number,\n};", 'tsgun.config.cts:2'],
    ['tsgun.config.js', 'export default {\n  // workers: 4\n  workers: 3,\n};', 'tsgun.config.js:3'],
    [
      'tsgun.config.mjs',
      'const base = { workers: 3 };\nexport default await Promise.resolve({ ...base });',
      'tsgun.config.mjs',
    ],
    ['tsgun.config.cjs', 'exports.workers = 3;', 'tsgun.config.cjs'],
    ['tsgun.config.json', '{\n  "workers": 3\n}', 'tsgun.config.json:2'],
  ])('%s is found by itself, and each value knows its line where one can be told', async (name, text, place) => {
    const { code, stderr, workers } = await print({ [name]: text });
    expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
    expect(workers).toBe(`workers | 3 | ${place}`);
  });

  it('in a module may use defineConfig, whether or not the project has tsgun installed', async () => {
    const text = "import { defineConfig } from 'tsgun';\nexport default defineConfig({ workers: 3, preFork() {} });";
    expect(await print({ 'tsgun.config.ts': text })).toMatchObject({
      code: 0,
      workers: 'workers | 3 | tsgun.config.ts',
    });
  });

  it('is the first of several in their order, and a warning names the others', async () => {
    const files = { 'tsgun.config.json': '{ "workers": 2 }', 'tsgun.config.mjs': 'export default { workers: 3 };' };
    const { code, stderr, workers } = await print(files);
    expect({ code, workers }).toEqual({ code: 0, workers: 'workers | 3 | tsgun.config.mjs' });
    expect(stderr).toEqual([
      'tsgun: warning: config: tsgun.config.json is ignored, because tsgun.config.mjs is there too',
    ]);
  });

  it('is the one that --config names, else TSGUN_CONFIG', async () => {
    const files = {
      'a.jsonc': '{ "workers": 2 }',
      'b.json': '{ "workers": 3 }',
      'tsgun.config.json': '{ "workers": 4 }',
    };
    const env = { TSGUN_CONFIG: 'b.json' };
    expect(await print(files, ['-c', 'a.jsonc'], env)).toMatchObject({
      workers: 'workers | 2 | a.jsonc:1',
      stderr: [],
    });
    expect(await print(files, [], env)).toMatchObject({ workers: 'workers | 3 | b.json:1', stderr: [] });
  });

  it.each([
    ['x.yaml', 'workers: 3', /^tsgun: config: expected a .*\.cjs file, got "x\.yaml" \(--config\)$/],
    ['gunicorn.conf.py', 'workers = 3', /reads no Python/],
    ['x.json', '[1]', /^tsgun: config: expected an object of settings, got an array of 1 \(x\.json\)$/],
    [
      'x.mjs',
      'export default () => ({ workers: 3 });',
      /^tsgun: config: expected an object of settings, got .*function.* \(x\.mjs\)$/,
    ],
    [
      'x.ts',
      'interface A { a: 1 }\nthrow new Error("no vault");',
      /^tsgun: config: the file failed to load: no vault \(x\.ts:2\)$/,
    ],
    [
      'x.ts',
      'export default {\n  workers: \n};',
      /^tsgun: config: the file failed to load: Expression expected \(x\.ts:3\)$/,
    ],
    ['x.mjs', 'export default {\n  workers: \n};', /^tsgun: config: the file failed to load: .+ \(x\.mjs:3\)$/],
    ['x.mjs', 'import "./nothing.mjs";', /^tsgun: config: the file failed to load: Cannot find module/],
  ])('%s that holds %j is refused', async (name, text, message) => {
    const { code, stderr } = await print({ [name]: text }, ['-c', name]);
    expect(code).toBe(1);
    expect(stderr[0]).toMatch(message);
    // Nothing of tsgun's own insides.
    expect(stderr.slice(1).filter((line) => !/^ {4}at .*\/x\.m?[jt]s:\d/.test(line))).toEqual([]);
  });
});

it('warnings of a new configuration are logged at its reload, once', async () => {
  const config = (threads: number) => JSON.stringify({ workers: 1, threads });
  const { path, write } = makeFolder({
    'app.mjs': 'export default (req, res) => res.end("x");',
    'tsgun.config.json': config(4),
  });
  const tsgun = start('app.mjs', [], { cwd: path });
  const warnings = () => tsgun.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
  await tsgun.workers(1);
  expect(warnings()).toEqual([]);
  const expected = [
    'threads: it does nothing in the async class; it is for --worker-class threaded (tsgun.config.json:1)',
  ];
  write('tsgun.config.json', config(8));
  for (let reload = 1; reload <= 2; reload++) {
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished', reload);
    expect(warnings()).toEqual(expected);
  }
  await tsgun.stop();
});
