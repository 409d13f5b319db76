/** A socket as standard output that other processes share: whether writes to it block is one flag for all of them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { isAlive, makeFolder } from '../integration/harness.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const nonBlocking = 0o4000;

/** What the command leaves behind shares its standard output, as workers share their master's. */
const config = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const other = spawn('sleep', ['60'], { stdio: ['ignore', 'inherit', 'ignore'] });
writeFileSync('pid', String(other.pid));
other.unref();
process.on('exit', () => console.log('the last line'));
export default { workers: 7 };
`;

it.runIf(process.platform === 'linux')('the end of one process does not make the writes of another block', async () => {
  const { path } = makeFolder({ 'app.mjs': '', 'tsgun.config.mjs': config });
  const all = [command, 'app.mjs', '--print-config'];
  const child = spawn(process.execPath, all, { cwd: path, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (bytes) => {
    text += bytes;
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  const other = Number(readFileSync(`${path}/pid`, 'utf8'));
  onTestFinished(() => void (isAlive(other) && process.kill(other, 'SIGKILL')));
  const [, flags] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${other}/fdinfo/1`, 'utf8'))!;
  expect(Number.parseInt(flags!, 8) & nonBlocking).toBe(nonBlocking);
  expect(text).toMatch(/^workers +7 .*\n/m);
  expect(text).toMatch(/\nthe last line\n$/);
});
