/** Clients that take their answers slowly hold up neither a thread nor a sync worker, nor do they cost its memory. */

import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { makeFolder, start, type Tsgun } from '../integration/harness.ts';

const largeBytes = 20_000_000;
/** Small pieces, of 9 MB together; and one large one. The kernel takes some of each ahead of the client. */
const app = `
import { createHash } from 'node:crypto';
const large = Buffer.alloc(${largeBytes}, 'some bytes');
const piece = Buffer.alloc(10_000, 'x');
export default (env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  if (env.PATH_INFO === '/large') return [large];
  if (env.PATH_INFO === '/text') return ['y'.repeat(${largeBytes})];
  if (env.PATH_INFO === '/hash') return [createHash('sha1').update(large).digest('hex')];
  if (env.PATH_INFO === '/pieces') return (function* () {
    for (let count = 0; count < 900; count++) yield piece;
  })();
  return ['other'];
};
`;

function residentMebibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kibibytes) / 1024;
}

/** Has asked, has seen the answer begin, and takes no more of it until \`resume\`. */
async function slowReader(tsgun: Tsgun, path: string): Promise<{ client: Client; body: () => Promise<Buffer> }> {
  const client = await tsgun.connect();
  const pieces: Buffer[] = [];
  client.socket.removeAllListeners('data');
  const begun = new Promise<void>((resolve) => {
    client.socket.on('data', (bytes) => {
      pieces.push(bytes);
      resolve();
    });
  });
  client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  await begun;
  client.socket.pause();
  const body = async () => {
    client.socket.resume();
    await client.closed;
    const all = Buffer.concat(pieces);
    return all.subarray(all.indexOf('\r\n\r\n') + 4);
  };
  return { client, body };
}

describe.each([
  ['sync', []],
  ['threaded', ['--threads', '2']],
])('a worker of class %s', (workerClass, more) => {
  const folder = makeFolder({ 'app.mjs': app }, true);
  let tsgun: Tsgun;
  beforeAll(async () => {
    tsgun = start(join(folder.path, 'app.mjs'), ['--worker-class', workerClass, ...more], { isShared: true });
    await tsgun.workers(1);
  });
  afterAll(async () => {
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    rmSync(folder.path, { recursive: true });
  });
  const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

  // First: later, there is memory that was freed, which a copy could use.
  it.runIf(process.platform === 'linux')('holds one buffer once, however many clients take it slowly', async () => {
    const [pid] = tsgun.living();
    expect(await tsgun.ask('/other')).toBe('other');
    const before = residentMebibytes(pid!);
    const readers = await Promise.all(Array.from({ length: 30 }, () => slowReader(tsgun, '/large')));
    expect(await tsgun.ask('/other')).toBe('other');
    // A copy for each would be 572 MiB.
    expect(residentMebibytes(pid!) - before).toBeLessThan(200);
    for (const { client } of readers) client.socket.destroy();
    expect(await tsgun.ask('/other')).toBe('other');
  });

  it.each(['/pieces', '/large', '/text'])(
    'serves others while more clients than it runs requests take %s slowly',
    async (path) => {
      const readers = await Promise.all(Array.from({ length: 5 }, () => slowReader(tsgun, path)));
      for (let count = 0; count < 5; count++) expect(await tsgun.ask('/other')).toBe('other');
      for (const { body } of readers) {
        const bytes = await body();
        if (path === '/large') expect(sha1(bytes)).toBe(await tsgun.ask('/hash'));
        else if (path === '/text') expect(bytes.equals(Buffer.alloc(largeBytes, 'y'))).toBe(true);
        else expect(bytes.length - bytes.toString().replaceAll('x', '').length).toBe(9_000_000);
      }
    },
  );
});
