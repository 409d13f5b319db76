/** The examples of README.md and of docs/ run as they stand there. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { onTestFinished } from '../current.ts';
import { isAlive, makeFolder, start, Tsgun } from '../integration/harness.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const jiti = join(createRequire(import.meta.url).resolve('jiti/package.json'), '../lib/jiti-cli.mjs');

const read = (name: string) => readFileSync(join(repository, name), 'utf8');
const pages = ['README.md', ...readdirSync(join(repository, 'docs')).map((name) => `docs/${name}`)];
const blocks = pages
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => [...read(name).matchAll(/^```(\w*)\n(.*?)^```$/gms)])
  .map(([, language = '', text = '']) => ({ language, text }));

/** TypeScript, by the file's name in the comment that it begins with. */
const examples = new Map(
  blocks
    .filter(({ language }) => language === 'ts')
    .map(({ text }) => [/^\/\/ (\S+)\n/.exec(text)?.[1] ?? 'a file without a name', text]),
);
const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text.trim());
const helloCommand = 'npx tsgun hello.ts --workers 4';
/** test/integration/pool.test.ts runs it. */
const mainJob = 'npm ci && npx tsgun apps/fib.ts --workers 4 --worker-class async';
const testCommand = 'npm ci && npm test';

function project(name: string): string {
  const text = examples.get(name);
  if (text === undefined) throw new Error(`README.md has no example ${name}`);
  const folder = makeFolder({ [name]: text });
  mkdirSync(join(folder.path, 'node_modules'));
  symlinkSync(repository, join(folder.path, 'node_modules/tsgun'));
  return folder.path;
}

test('all code of the documentation is run here; a block without a language is a drawing', () => {
  expect([...examples.keys()].sort()).toEqual([
    'channel.ts',
    'hello.test.ts',
    'hello.ts',
    'server.ts',
    'shop.config.ts',
    'shop.test.ts',
    'tsgun.config.ts',
  ]);
  // Each command, and where it is tried. A command that is not known here fails, and so does one that no page has.
  const known = [
    helloCommand,
    mainJob,
    testCommand,
    // Steps of getting-started.md; test/docs/getting-started.test.ts takes them without the network.
    'npm install tsgun',
    'mkdir shop && cd shop\nnpm init --yes && npm pkg set type=module\nnpm install tsgun express',
    'npx tsgun app.js --workers 2',
    'kill -HUP $(cat tsgun.pid)',
    'nginx -t && nginx -s reload',
    // Needs a container.
    'docker build -t shop .\ndocker run --name shop --publish 8000:8000 --stop-timeout 40 shop',
    // Needs a cluster; test/kubernetes.test.ts has the manifests.
    'kubectl apply --kustomize deploy/kubernetes',
    // test/integration/access-log.test.ts and test/integration/tracers.test.ts have the like of them.
    /--access-logfile/,
    /tsgun reload --wait/,
    // test/integration/scaling.test.ts, bulkheads.test.ts, canary.test.ts, overload.test.ts and resilience.test.ts.
    /--max-workers 8|--limit-concurrency|--canary 10|--watch-after 60|--shed auto|--chaos kill/,
    /tsgun server\.js -- --flag x/,
    /tracing\.cjs/,
    // Needs jq; test/log/events.test.ts tries it where there is one.
    /jq --unbuffered/,
  ];
  const is = (command: string) => (each: string | RegExp) =>
    typeof each === 'string' ? each === command : each.test(command);
  expect(commands.filter((command) => !known.some(is(command)))).toEqual([]);
  expect(known.filter((each) => !commands.some((command) => is(command)(each)))).toEqual([]);
  const others = ['nginx', 'haproxy', 'caddy', 'dockerfile', 'yaml', 'mermaid'];
  for (const { language } of blocks) expect(['ts', 'js', 'sh', 'json', '', ...others]).toContain(language);
  // The test command is how this test came to run; that it does from a bare clone is for the script of CI to show.
  expect(read('.ci/run')).toContain(`\n${testCommand}\n`);
});

test('channel.ts hears of each request', async () => {
  const path = project('channel.ts');
  const app = `import './channel.ts';\nexport default () => new Response('traced')`;
  writeFileSync(join(path, 'app.ts'), app);
  const tsgun = start('app.ts', ['--interface', 'fetch'], { cwd: path });
  expect((await tsgun.get('/traced')).text).toBe('traced');
  await tsgun.until(() => /^GET \/traced 200 {2}\d/m.test(tsgun.stdout), 'the line');
  await tsgun.stop();
});

test('hello.ts is served by the command beside it', async () => {
  const [, , app = '', ...args] = helloCommand.split(' ');
  const tsgun = start(app, args, { cwd: project('hello.ts') });
  await tsgun.workers(4);
  expect(await tsgun.get('/you')).toMatchObject({ status: 200, text: 'hello, /you\n' });
  expect(await tsgun.stop()).toMatchObject({ code: 0 });
});

test('server.ts serves until it is stopped, and says why', async () => {
  const path = project('server.ts');
  const env = { ...process.env, TSGUN_BIND: '127.0.0.1:0' };
  const script = spawn(process.execPath, [jiti, 'server.ts'], { cwd: path, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    if (isAlive(script.pid!)) script.kill('SIGKILL');
  });
  let stdout = '';
  script.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  for await (const line of createInterface({ input: script.stderr })) {
    const { event, url } = JSON.parse(line) as { event?: string; url?: string };
    if (event !== 'listening') continue;
    expect(await (await fetch(`${url}/you`)).text()).toBe('hello, /you\n');
    script.kill('SIGTERM');
  }
  if (script.exitCode === null) await once(script, 'exit');
  expect([stdout, script.exitCode]).toEqual(['stopped by SIGTERM\n', 0]);
});

test('hello.test.ts and shop.test.ts pass as tests of a user', async () => {
  const names = ['hello.test.ts', 'shop.test.ts'];
  const path = project('hello.ts');
  for (const name of names) writeFileSync(join(path, name), examples.get(name)!);
  symlinkSync(join(repository, 'node_modules/vitest'), join(path, 'node_modules/vitest'));
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  const run = spawn(process.execPath, [vitest, 'run', '--root', path], {
    cwd: path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [run.stdout, run.stderr])
    stream.on('data', (bytes) => {
      output += bytes;
    });
  const [code] = await once(run, 'close');
  for (const name of names) expect(output).toContain(name);
  expect(output).toMatch(/Tests +.*4 passed/);
  expect(code).toBe(0);
});

test('shop.config.ts is accepted, and so is each config file in JSON', async () => {
  const json = blocks.filter(({ language }) => language === 'json').map(({ text }) => text);
  const files = [...json.map((text) => makeFolder({ 'shop.config.json': text }).path), project('shop.config.ts')];
  for (const path of files) {
    const [name = ''] = readdirSync(path).filter((file) => file.startsWith('shop.config.'));
    const tsgun = new Tsgun(['--print-config', '-c', name], { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 0 });
    expect(tsgun.text).toEqual([]);
    expect(tsgun.stdout).toMatch(new RegExp(`^bind +\\S+ +${name}:\\d$`, 'm'));
  }
});

test('tsgun.config.ts is what the command reads', async () => {
  const path = project('tsgun.config.ts');
  writeFileSync(join(path, 'hello.ts'), examples.get('hello.ts')!);
  const tsgun = start('hello.ts', [], { cwd: path });
  const [pid] = await tsgun.workers(2);
  expect(tsgun.log.map(({ msg }) => msg)).toContain('worker 2 of 2');
  process.kill(pid!, 'SIGABRT');
  await tsgun.event('worker_exited');
  await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith(`${pid} crashed after`)), 'the hook');
  expect(await tsgun.stop()).toMatchObject({ code: 0 });
});
