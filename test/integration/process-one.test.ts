/** As process 1, in a namespace of its own. Only root may make one. Not by the harness, which knows processes by the numbers in the log. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import type { LogLine } from './harness.ts';
import { makeFolder } from './harness.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const namespace = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const isAllowed = spawnSync('unshare', [...namespace, 'true']).status === 0;

/** Its number out here. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

it.skipIf(!isAllowed)('as process 1, tsgun says once that orphans are not reaped, and what to do', async () => {
  const { path } = makeFolder({
    'app.mjs': `export default (env, startResponse) => { startResponse('200 OK', []); return ['hello'] }`,
  });
  const run = [...namespace, process.execPath, command, 'app.mjs', '--bind', '127.0.0.1:0'];
  const outside = spawn('unshare', run, { cwd: path, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void outside.kill('SIGKILL'));
  const log: LogLine[] = [];
  const lines = createInterface({ input: outside.stderr });
  for await (const line of lines) {
    log.push(JSON.parse(line) as LogLine);
    if (log.at(-1)?.event === 'worker_ready') process.kill(childOf(outside.pid!), 'SIGTERM');
  }
  await (outside.exitCode === null && outside.signalCode === null ? once(outside, 'exit') : undefined);
  expect(log.find(({ event }) => event === 'master_started')).toMatchObject({ pid: 1 });
  expect(log.filter(({ msg }) => msg.includes('zombies'))).toMatchObject([
    { level: 'info', msg: expect.stringContaining('docker run --init') },
  ]);
  expect(log.at(-1)).toMatchObject({ event: 'shutdown_finished', exitCode: 0 });
});
