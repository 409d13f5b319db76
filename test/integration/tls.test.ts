/** TLS of the whole command: every class, tickets for all workers, renewal under load, keys that only root may read. */

import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { onTestFinished } from '../current.ts';
import { certificateFor, signedBy } from '../http/tls/certificates.ts';
import { eventually, makeFolder, start } from './harness.ts';

const app = `export default (env, startResponse) => {
  startResponse('200 OK', []);
  return [[env['wsgi.url_scheme'], env.SSL_PROTOCOL, env.SSL_CLIENT_S_DN_CN ?? 'nobody', process.pid].join(' ')];
};`;
const isRoot = process.getuid?.() === 0;

function open(port: number, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function ask(port: number, options: ConnectionOptions = {}) {
  const socket = open(port, options);
  await once(socket, 'secureConnect');
  const [session, isResumed] = [socket.getSession()!, socket.isSessionReused()];
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  const all = await text(socket);
  return { answer: all.slice(all.indexOf('\r\n\r\n') + 4), session, isResumed };
}

/** A new client each time: it would resume its session otherwise, and not look at the certificate. */
async function shown(port: number): Promise<string> {
  const socket = open(port);
  await once(socket, 'secureConnect');
  const { subjectaltname = '' } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

describe.each(Object.keys(registry))('the %s class', (workerClass) => {
  it('serves over TLS, by all workers, with certificates that are renewed under load', {
    timeout: 60_000,
  }, async () => {
    const authority = certificateFor(['authority']);
    const client = signedBy(authority, 'authority', 'Alice');
    const first = certificateFor(['old.example']);
    const { path } = makeFolder({ 'app.mjs': app, 'a.crt': first.cert, 'a.key': first.key, 'ca.crt': authority.cert });
    const at = (name: string) => join(path, name);
    chmodSync(at('a.key'), 0o600);
    const files = ['--certfile', at('a.crt'), '--keyfile', at('a.key'), '--ca-certs', at('ca.crt')];
    // Of another user, the workers could not read the key.
    const user = isRoot ? ['--user', 'nobody'] : [];
    if (isRoot) chmodSync(path, 0o755);
    const options = [
      '-k',
      workerClass,
      '-w',
      '2',
      '--cert-reqs',
      'optional',
      '--admin-bind',
      '127.0.0.1:0',
      ...files,
      ...user,
    ];
    const tsgun = start(at('app.mjs'), options);
    await tsgun.workers(2);
    const { url } = await tsgun.event('listening');
    const port = Number(new URL(String(url)).port);
    expect(url).toMatch(/^https:/);
    expect((await ask(port, client)).answer).toMatch(/^https TLSv1\.3 Alice \d+$/);

    // A ticket of one worker is good for the other.
    const { session } = await ask(port, { maxVersion: 'TLSv1.2' });
    const pids = new Set<string>();
    for (let times = 0; times < 50 && pids.size < 2; times++) {
      const resumed = await ask(port, { session, maxVersion: 'TLSv1.2' });
      expect(resumed.isResumed).toBe(true);
      pids.add(resumed.answer.split(' ').at(-1)!);
    }

    for (const pid of tsgun.living()) expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain('PRIVATE');

    let isOver = false;
    let answered = 0;
    const failures: unknown[] = [];
    const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
    const load = async () => {
      while (!isOver) {
        // A steady stream, which leaves the machine time for the renewal.
        await sleep(10);
        const asked = request({ port, host: '127.0.0.1', agent }).end();
        const response = once(asked, 'response').then(([response]) => text(response));
        await response.then(
          () => answered++,
          // An idle connection may end as a request goes out on it; Node says which those are.
          (error) => asked.reusedSocket || failures.push(error),
        );
      }
    };
    const loads = [load(), load()];
    const replace = (names: string[]) => {
      const { cert, key } = certificateFor(names);
      writeFileSync(at('next.key'), key, { mode: 0o600 });
      writeFileSync(at('next.crt'), cert);
      renameSync(at('next.key'), at('a.key'));
      renameSync(at('next.crt'), at('a.crt'));
    };
    replace(['new.example']);
    await eventually(async () => (await shown(port)).includes('new.example'));
    replace(['third.example']);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await shown(port)).toContain('third.example');
    isOver = true;
    await Promise.all(loads);
    agent.destroy();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(10);
    const admin = tsgun.log.find((line) => line.admin !== undefined)?.admin;
    const metrics = await (await fetch(`http://${admin}/metrics`, { headers: { connection: 'close' } })).text();
    expect(metrics).toMatch(/^tsgun_certificate_expiry_timestamp_seconds\{name="third\.example"\} \d{10}$/m);
    expect(JSON.stringify(tsgun.log)).not.toContain('PRIVATE KEY');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});
