// Whether the access log loses lines: in each worker class, 200,000 requests through three reloads (HUP) and two rotations (USR1)
// must give exactly 200,000 lines. `node bench/access-lines.mjs [CLASS ...]`. No figure of speed comes out of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const requests = 200_000;
const clients = 32;
const reloadsAt = [50_000, 100_000, 150_000];
const rotationsAt = [70_000, 130_000];
const command = new URL('../dist/cli.js', import.meta.url).pathname;
const classes = process.argv.length > 2 ? process.argv.slice(2) : ['async', 'threaded', 'sync'];

for (const workerClass of classes) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-lines-'));
  writeFileSync(join(folder, 'app.mjs'), "export default (env, start) => { start('200 OK', []); return ['ok']; };");
  const file = join(folder, 'access.log');
  const args = ['app.mjs', '-b', '127.0.0.1:0', '-w', '2', '-k', workerClass, '--access-logfile', file];
  const server = spawn(process.execPath, [command, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(server, 'exit');
  const counts = {};
  let url = '';
  const isListening = new Promise((resolve) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      const { event, ...fields } = JSON.parse(line);
      counts[event] = (counts[event] ?? 0) + 1;
      if (event === 'listening') resolve(fields.url);
    });
  });
  url = `${await isListening}/a`;
  const files = [];
  const onAnswer = (answered) => {
    if (reloadsAt.includes(answered)) server.kill('SIGHUP');
    if (!rotationsAt.includes(answered)) return;
    files.push(`${file}.${files.length}`);
    renameSync(file, files.at(-1));
    server.kill('SIGUSR1');
  };
  const again = await askOften(url, onAnswer);
  server.kill('SIGTERM');
  await exited;
  const lines = [...files, file].map((each) => readFileSync(each, 'latin1').split('\n').length - 1);
  const sum = lines.reduce((a, b) => a + b, 0);
  const good = sum === requests && counts.reload_finished >= 1 && counts.log_dropped === undefined;
  if (!good) process.exitCode = 1;
  console.log(
    `${workerClass}: ${requests} requests, ${sum} lines (${lines.join(' + ')}), ${counts.reload_finished} reloads finished, ${again} asked again at the end of an idle connection: ${good ? 'good' : 'BAD'}`,
  );
  rmSync(folder, { recursive: true });
}

/** A request that meets the end of an idle connection has not been served, and is sent again. */
async function askOften(url, onAnswer) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let begun = 0;
  let answered = 0;
  let again = 0;
  const ask = () =>
    new Promise((resolve) => {
      request(url, { agent }, (response) => response.resume().once('end', () => resolve(true)))
        .once('error', () => resolve(false))
        .end();
    });
  const client = async () => {
    while (begun < requests) {
      begun++;
      while (!(await ask())) again++;
      onAnswer(++answered);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return again;
}
