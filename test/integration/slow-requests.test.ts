/** `--slow-request`: what the log says of a request while it is slow. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CpuProfile } from '../../src/ipc/profiles.ts';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder, start, Tsgun } from './harness.ts';

const app = `
const release = new Set();
function busyHere(until) { while (!until()) Math.random(); }
export default async function app(env, startResponse) {
  const end = Date.now() + 2500;
  if (env.PATH_INFO === '/busy') busyHere(() => Date.now() > end);
  if (env.PATH_INFO === '/wait') await new Promise((go) => release.add(go));
  if (env.PATH_INFO === '/release') for (const go of release) go();
  startResponse('200 OK', []);
  return ['fine'];
}`;

describe.each(['async', 'threaded'])('a slow request of an %s worker', (workerClass) => {
  it('is logged once, with where its code is and a CPU profile', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--slow-request', '0.3', '-k', workerClass, '--threads', '2'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    let busy = tsgun.get('/busy?secret=1');
    let line = await tsgun.event('request_slow');
    // Of this one: there is one profile a minute.
    const file = line.profile as string;
    let count = 1;
    // Of a worker that the machine does not run while it is asked, there is no stack: then once more.
    while (!String(line.stack).startsWith('at ')) {
      await busy;
      busy = tsgun.get('/busy?secret=1');
      line = await tsgun.event('request_slow', ++count);
    }
    expect(line).toMatchObject({ level: 'warn', pid, method: 'GET', path: '/busy', ms: expect.any(Number) });
    expect(line.ms).toBeGreaterThanOrEqual(300);
    expect(line.stack).toMatch(/at busyHere \(.*app\.mjs:3:\d+\)\n/);
    expect(await busy).toMatchObject({ text: 'fine' });
    onTestFinished(() => rmSync(file, { force: true }));
    // It is there before it is whole.
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('}'));
    const { nodes } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
    expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain('app');

    if (workerClass === 'async') {
      let waiting = tsgun.get('/wait');
      let second = await tsgun.event('request_slow', ++count);
      // Likewise.
      while (String(second.stack).startsWith('it got no processor')) {
        await tsgun.get('/release');
        await waiting;
        waiting = tsgun.get('/wait');
        second = await tsgun.event('request_slow', ++count);
      }
      expect(second).toMatchObject({ path: '/wait', stack: 'waiting: it runs no JavaScript' });
      expect(second).not.toHaveProperty('profile');
      await tsgun.get('/release');
      await waiting;
    }
    await tsgun.stop();
    expect(tsgun.lines('request_slow')).toHaveLength(count);
  });
});

describe('many slow requests of a threaded worker', () => {
  it.each([
    ['those that get slow while the profile of others is taken', false],
    ['while an operator looks at their stacks', true],
  ])('are all answered, also %s', async (_, isWatched) => {
    const source = `export default async (env, startResponse) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      startResponse('200 OK', []);
      return ['fine'];
    };`;
    const { path } = makeFolder({ 'app.mjs': source });
    // A main thread that stays paused is killed.
    const tsgun = start(
      'app.mjs',
      ['--slow-request', '0.1', '-k', 'threaded', '--timeout', '3', '--control-socket', 'c.sock'],
      {
        cwd: path,
      },
    );
    await tsgun.workers(1);
    const endAt = Date.now() + 2000;
    const texts = new Set<string>();
    const client = async () => {
      while (Date.now() < endAt) texts.add((await tsgun.get('/')).text);
    };
    const operator = async () => {
      while (isWatched && Date.now() < endAt) await new Tsgun(['stacks', '--control-socket', `${path}/c.sock`]).exited;
    };
    await Promise.all([client(), client(), client(), client(), operator(), operator()]);
    expect([...texts]).toEqual(['fine']);
    expect(tsgun.lines('worker_hung')).toEqual([]);
    rmSync((await tsgun.event('request_slow')).profile as string, { force: true });
  });
});
