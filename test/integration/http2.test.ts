/** HTTP/2 of the whole command, in every class: streams, what runs at a reload, programs with an `http2` server. */

import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { certificateFor } from '../http/tls/certificates.ts';
import { makeFolder, start } from './harness.ts';

/** A program for node:http2's compatibility API. It waits for a file, so that requests are in flight at a reload. */
const program = `
const { createSecureServer } = require('node:http2');
const { existsSync } = require('node:fs');
createSecureServer({ allowHTTP1: true }, async (req, res) => {
  if (req.url === '/wait') while (!existsSync(process.env.GO)) await new Promise((resolve) => setTimeout(resolve, 20));
  let length = 0;
  for await (const bytes of req) length += bytes.length;
  res.setHeader('content-type', 'application/grpc');
  res.write(JSON.stringify({ version: req.httpVersion, path: req.url, length, trailers: req.trailers, pid: process.pid }));
  res.addTrailers({ 'grpc-status': '0' });
  res.end();
}).listen(process.env.PORT);`;

function open(url: string): ClientHttp2Session {
  const session = connect(url, { rejectUnauthorized: false });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

async function ask(session: ClientHttp2Session, path: string, body?: Buffer) {
  const method = body === undefined ? 'GET' : 'POST';
  const stream = session.request(
    { ':path': path, ':method': method },
    { endStream: body === undefined, waitForTrailers: body !== undefined },
  );
  stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
  const trailers = once(stream, 'trailers');
  if (body !== undefined) stream.end(body);
  const [fields] = await once(stream, 'response');
  const answer = JSON.parse(await text(stream));
  return { status: fields[':status'], ...answer, last: (await trailers)[0]['grpc-status'] };
}

describe.each(Object.keys(registry))('the %s class', (workerClass) => {
  it('serves streams, and loses none at a reload', { timeout: 60_000 }, async () => {
    const { cert, key } = certificateFor(['127.0.0.1']);
    const { path, write } = makeFolder({ 'app.cjs': program, 'a.crt': cert, 'a.key': key });
    const at = (name: string) => join(path, name);
    const args = ['-k', workerClass, '--certfile', at('a.crt'), '--keyfile', at('a.key'), '--threads', '2'];
    const tsgun = start(at('app.cjs'), [...args, '--access-logfile', '-', '--access-logformat', '%(H)s %(U)s %(s)s'], {
      env: { GO: at('go') },
    });
    await tsgun.workers(1);
    const url = await tsgun.url('');
    const session = open(url);
    const large = await ask(session, '/large', Buffer.alloc(1_500_000));
    expect(large).toMatchObject({
      status: 200,
      version: '2.0',
      length: 1_500_000,
      trailers: { 'x-sum': '1' },
      last: '0',
    });

    const sessions = [open(url), open(url), open(url)];
    const waiting = sessions.flatMap((each) => Array.from({ length: 4 }, () => ask(each, '/wait')));
    // The sync class has one of them at a time. Each connection has an answer to a PING, so its streams were read.
    if (workerClass !== 'sync')
      await Promise.all(sessions.map((each) => new Promise((resolve) => each.ping((error) => resolve(error)))));
    const gone = sessions.map((each) => once(each, 'goaway'));
    const served = workerClass === 'sync' ? [] : gone;
    tsgun.signal('SIGHUP');
    await tsgun.event('worker_ready', 2);
    for (const [code] of await Promise.all(served)) expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    write('go', '');
    const answers = await Promise.all(waiting);
    expect(answers.map(({ status, path: asked }) => `${status} ${asked}`)).toEqual(Array(12).fill('200 /wait'));
    for (const each of [session, ...sessions]) each.close();
    await tsgun.event('worker_exited');
    await tsgun.until(() => tsgun.stdout.split('HTTP/2.0 /wait 200\n').length === 13, 'the lines of the access log');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});
