/**
 * What systemd does for a server that has no master: starts it again a tenth of a second after its end, and at HUP stops and starts it
 * (`systemctl restart`).
 *
 *   node supervise.mjs PROCESSES COMMAND…
 */

import { spawn } from 'node:child_process';

const [processes, file, ...args] = process.argv.slice(2);
/** systemd's RestartSec. */
const pauseMs = 100;
/** As long as Docker waits. */
const stopMs = 10_000;
let isStopping = false;
const children = new Set();

function start() {
  const child = spawn(file, args, { stdio: 'inherit' });
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    if (!isStopping) setTimeout(start, child.isRestarted ? 0 : pauseMs);
    else if (children.size === 0) process.exit();
  });
}

function stop(child) {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), stopMs).unref();
}

process.on('SIGHUP', () => {
  for (const child of children) {
    child.isRestarted = true;
    stop(child);
  }
});
process.on('SIGTERM', () => {
  isStopping = true;
  for (const child of children) stop(child);
  if (children.size === 0) process.exit();
});
for (let count = 0; count < Number(processes); count++) start();
