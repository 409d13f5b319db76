import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder, start, type Tsgun } from './harness.ts';

/** Slow enough that a busy machine makes no difference. */
const answering = (status: string) => `export default async (env, startResponse) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  startResponse('${status}', []);
  return ['${status}'];
};`;

async function statusOf(tsgun: Tsgun): Promise<number> {
  const answer = await (await tsgun.connect()).exchange('GET / HTTP/1.0\r\n\r\n');
  return Number(answer.slice(9, 12));
}

/** Sends requests, each on a connection of its own, until the log has the line. @returns how many had each status */
async function until(tsgun: Tsgun, event: string): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  while (tsgun.lines(event).length === 0)
    for (const status of await Promise.all([1, 2, 3, 4].map(() => statusOf(tsgun))))
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return statuses;
}

it('a release that answers errors is tried on one worker, and rolled back; a good one after it is taken, whatever configuration cannot be read meanwhile', async () => {
  const folder = makeFolder({ 'app.mjs': answering('200 OK'), 'tsgun.config.json': '{ "canary": 1 }' });
  const tsgun = start('app.mjs', ['--workers', '2'], { cwd: folder.path });
  const old = await tsgun.workers(2);
  folder.write('app.mjs', answering('500 Internal Server Error'));
  tsgun.signal('SIGHUP');
  await tsgun.event('canary_started');
  const statuses = await until(tsgun, 'reload_failed');
  expect(tsgun.lines('canary_judged')).toMatchObject([
    {
      generation: 2,
      outcome: 'worse',
      faults: expect.arrayContaining(['errors']),
      fresh: { crashes: 0 },
      old: { errors: 0 },
    },
  ]);
  expect(tsgun.lines('reload_failed')).toMatchObject([{ reason: 'canary' }]);
  expect([...statuses.keys()].sort()).toEqual([200, 500]);
  expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'canary', generation: 2 });
  expect(tsgun.living()).toEqual(old);

  folder.write('app.mjs', answering('201 Created'));
  tsgun.signal('SIGHUP');
  await tsgun.event('canary_started', 2);
  folder.write('tsgun.config.json', '{ "canary": ');
  tsgun.signal('SIGHUP');
  expect(await tsgun.event('reload_failed', 2)).toMatchObject({ error: expect.stringContaining('tsgun.config.json') });
  expect(tsgun.lines('canary_judged')).toHaveLength(1);
  await until(tsgun, 'reload_finished');
  expect(tsgun.lines('canary_judged')[1]).toMatchObject({ generation: 3, faults: [] });
  expect((await tsgun.get('/')).status).toBe(201);
  await tsgun.stop();
});

it('a release that goes bad after its roll-out gives its place back to the one before it, where that is still there', async () => {
  const { path } = makeFolder();
  const deploy = (release: number, text: string) => {
    mkdirSync(join(path, `${release}`));
    writeFileSync(join(path, `${release}/app.mjs`), text);
    symlinkSync(`${release}`, join(path, 'next'));
    renameSync(join(path, 'next'), join(path, 'current'));
  };
  deploy(1, answering('200 OK'));
  const tsgun = start(join(path, 'current/app.mjs'), ['--workers', '2', '--watch-after', '60']);
  await tsgun.workers(2);
  // Workers write their figures ten times a second: those of the first requests are there after the last.
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 10 }, () => tsgun.get('/')));
  deploy(2, answering('500 Internal Server Error'));
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished');
  await until(tsgun, 'reload_failed');
  expect(tsgun.lines('reload_failed')).toMatchObject([{ reason: 'watch_after', generation: 2, faults: ['errors'] }]);
  expect(await tsgun.event('reload_finished', 2)).toMatchObject({ generation: 3, workers: 2 });
  expect((await tsgun.get('/')).status).toBe(200);

  // Nothing new behind the link: there is nothing to go back to.
  writeFileSync(join(path, '2/app.mjs'), answering('201 Created'));
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished', 3);
  expect((await tsgun.get('/')).status).toBe(201);
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished', 4);
  expect(tsgun.log.filter(({ msg }) => msg.startsWith('watchAfter: '))).toMatchObject([
    { level: 'info', release: join(path, '2/app.mjs'), msg: expect.stringContaining('the same release as before') },
  ]);
  await tsgun.stop();
});

it('a release that overwrites the one before it cannot give its place back, and the log says how to deploy', async () => {
  const folder = makeFolder({ 'app.mjs': answering('200 OK') });
  const tsgun = start('app.mjs', ['--watch-after', '60'], { cwd: folder.path });
  await tsgun.workers(1);
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished');
  expect(tsgun.log.filter(({ msg }) => msg.startsWith('watchAfter: '))).toMatchObject([
    { level: 'warn', msg: expect.stringContaining('deploy each into a folder of its own') },
  ]);
  await tsgun.stop();
});
