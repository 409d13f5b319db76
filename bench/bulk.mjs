/**
 * A gigabyte each way: whether all of it arrives, what memory the worker takes for it, and who waits when nobody reads.
 *
 *   node bench/bulk.mjs [--quick] [--megabytes N] [--worker-class CLASS]
 */

import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BulkClient } from './lib/bulk-client.mjs';
import { patternHash, pieceBytes } from './lib/pattern.js';
import { forgetPeak, residentBytes } from './lib/processes.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { startServer, tsgun } from './lib/servers.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    megabytes: { type: 'string' },
    'worker-class': { type: 'string', default: 'async' },
  },
});
const megabyte = 2 ** 20;
const bytes = Number(values.megabytes ?? (values.quick ? 128 : 1024)) * megabyte;
const workerClass = values['worker-class'];
const maxGrowthBytes = 50 * megabyte;
/** Beyond what a kernel holds of one connection, at both of its ends. */
const maxAheadBytes = 64 * megabyte;
/** A count that has not changed for this long has come to rest. */
const restMs = 1000;

const down = (path, version = '1.1') =>
  `GET ${path}?bytes=${bytes} HTTP/${version}\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
const up = (framing, path = '/up') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${framing}\r\n\r\n`;
const length = `Content-Length: ${bytes}`;
const chunked = 'Transfer-Encoding: chunked';

const transfers = [
  ['up, Content-Length', (client) => client.upload(up(length), bytes, false)],
  ['up, chunked', (client) => client.upload(up(chunked), bytes, true)],
  ['down, Content-Length', (client) => client.download(down('/down-length'))],
  ['down, chunked', (client) => client.download(down('/down'))],
  ['down, HTTP/1.0 to the close', (client) => client.download(down('/down', '1.0'))],
];

printMachine();
console.log(`${bytes / megabyte} MB each, one ${workerClass} worker.\n`);
const inMegabytes = (value) => `${(value / megabyte).toFixed(1)} MB`;
const expected = patternHash(bytes);
const directory = mkdtempSync(join(tmpdir(), 'tsgun-bulk-'));
const server = await startServer(tsgun(undefined, 'tsgun', ['--worker-class', workerClass]), 'bulk');
try {
  const atStart = residentBytes(server.workerPid);
  const rows = [];
  for (const [name, transfer] of transfers) rows.push(await measure(name, transfer));
  printTable([['transfer', 'arrived whole', 'MB/s', 'before', 'peak', 'after', 'growth'], ...rows.map(row)]);
  for (const { name, hash } of rows) if (hash !== expected) judge(`${name}: all bytes arrive, in order`, false);
  judge(
    'all bytes arrive, in order',
    rows.every(({ hash }) => hash === expected),
  );
  const highest = Math.max(...rows.map(({ peak }) => peak));
  judge(
    `the worker grows by less than 50 MB: ${inMegabytes(atStart)} at the start, ${inMegabytes(highest)} at the peak`,
    highest - atStart < maxGrowthBytes,
  );
  await stopReading();
  await stopTaking();
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function measure(name, transfer) {
  forgetPeak(server.workerPid);
  const before = residentBytes(server.workerPid);
  const startedAt = performance.now();
  const client = await BulkClient.open(server.port);
  const hash = await transfer(client);
  const seconds = (performance.now() - startedAt) / 1000;
  const peak = residentBytes(server.workerPid, 'VmHWM');
  return { name, hash, seconds, before, peak, after: residentBytes(server.workerPid) };
}

function row({ name, hash, seconds, before, peak, after }) {
  const isWhole = hash === expected ? 'yes' : 'NO';
  const figures = [before, peak, after, peak - before].map(inMegabytes);
  return [name, isWhole, (bytes / megabyte / seconds).toFixed(0), ...figures];
}

/** A client that stops reading: the app's iterable is asked for no more, and goes on when the client does. */
async function stopReading() {
  const file = join(directory, 'pieces');
  const client = await BulkClient.open(server.port);
  const request = `GET /counted?bytes=${bytes}&file=${file} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  client.socket.write(request);
  const count = () => (existsSync(file) ? statSync(file).size : 0);
  forgetPeak(server.workerPid);
  const before = residentBytes(server.workerPid);
  const asked = await atRest(count);
  const grown = residentBytes(server.workerPid, 'VmHWM') - before;
  const hash = await client.download('');
  console.log(
    `\nA client that does not read: ${asked} pieces of ${bytes / pieceBytes} were asked for; ${count()} later.`,
  );
  judge('no piece is asked for that the client does not take', asked > 0 && asked * pieceBytes < maxAheadBytes);
  judge(`meanwhile the worker grows by less than 8 MB: ${inMegabytes(grown)}`, grown < 8 * megabyte);
  judge('it goes on when the client reads again, to the end', hash === expected && count() === bytes / pieceBytes);
}

/** An app that does not read: its client is stopped, and goes on when the app reads. */
async function stopTaking() {
  const file = join(directory, 'go');
  const client = await BulkClient.open(server.port);
  const uploaded = client.upload(up(length, `/unread?file=${file}`), bytes, false);
  forgetPeak(server.workerPid);
  const before = residentBytes(server.workerPid);
  const taken = await atRest(() => client.sentBytes);
  const grown = residentBytes(server.workerPid, 'VmHWM') - before;
  writeFileSync(file, '');
  const hash = await uploaded;
  console.log(
    `\nAn app that does not read: ${inMegabytes(taken)} of the upload had gone out, most of it in the kernel.`,
  );
  judge('the client is stopped', taken > 0 && taken < maxAheadBytes);
  judge(`meanwhile the worker grows by less than 8 MB: ${inMegabytes(grown)}`, grown < 8 * megabyte);
  judge('it goes on when the app reads, to the end', hash === expected);
}

/** @param {() => number} read a figure that grows, and then rests above 0 */
async function atRest(read) {
  let last = 0;
  let since = performance.now();
  while (last === 0 || performance.now() - since < restMs) {
    await sleep(50);
    const now = read();
    if (now === last) continue;
    last = now;
    since = performance.now();
  }
  return last;
}
