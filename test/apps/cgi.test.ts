/** CGI programs (RFC 3875) by apps/cgi.ts, as a client sees them. */

import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../http/client.ts';
import { eventually, isAlive } from '../integration/harness.ts';
import { type Service, serve } from './serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'tsgun-cgi-'));
const root = join(folder, 'root');
const plain = "printf 'Content-Type: text/plain\\n\\n'";
const programs = {
  'env.sh': `${plain}; env | sort`,
  'cat.sh': `${plain}; cat`,
  'deaf.sh': `${plain}; echo deaf`,
  'status.sh':
    "printf 'Status: 418 Teapot\\r\\nContent-Type: text/plain\\r\\nX-A: 1\\r\\nConnection: close\\r\\n\\r\\nshort'",
  'away.sh': "printf 'Location: https://example.org/x\\n\\n'",
  'local.sh': "printf 'Location: /env.sh/there?from=local\\n\\n'",
  'loop.sh': "printf 'Location: /loop.sh\\n\\n'",
  'nothing.sh': 'exit 0',
  'untyped.sh': "printf 'X-A: 1\\n\\nbody'",
  'typed-twice.sh': "printf 'Content-Type: text/plain\\nContent-Type: text/html\\n\\nbody'",
  'status-twice.sh': "printf 'Status: 200\\nContent-Type: text/plain\\nStatus: 404\\n\\nbody'",
  'broken.sh': 'echo "no header here"; echo; echo body',
  'early.sh': 'echo "the reason" >&2; exit 3',
  'late.sh': `${plain}; echo all of it; exit 3`,
  'killed.sh': `${plain}; echo begun; kill -9 $$`,
  'done.sh': `printf 'Content-Type: text/plain\\nContent-Length: 5\\n\\n'; echo done; kill -9 $$`,
  'endless.sh': `printf 'X-A: '; while :; do printf '%01000d' 0; done`,
  'hang.sh': `echo $$ > ${folder}/hang.pid; sleep 1000 & echo $! > ${folder}/grandchild.pid; wait`,
  'flood.sh': `echo $$ > ${folder}/flood.pid; ${plain}; while :; do printf '%01000d' 0; done`,
  'words.sh': `head -c 1000000 /dev/zero | tr "\\0" x >&2; ${plain}; echo talked`,
};

let service: Service;
beforeAll(async () => {
  mkdirSync(join(root, 'sub'), { recursive: true });
  for (const [name, text] of Object.entries({ ...programs, 'sub/in.sh': programs['env.sh'], '.hidden.sh': 'exit 0' })) {
    writeFileSync(join(root, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(root, name), 0o755);
  }
  writeFileSync(join(root, 'data.txt'), 'data');
  writeFileSync(join(folder, 'outside.sh'), `#!/bin/sh\n${plain}; echo outside`);
  chmodSync(join(folder, 'outside.sh'), 0o755);
  symlinkSync(join(folder, 'outside.sh'), join(root, 'link.sh'));
  process.env.CGI_ROOT = root;
  service = await serve((await import('../../apps/cgi.ts')).default);
});
afterAll(async () => {
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Over a connection that stays open on this side: a client that ends it has gone, and takes its program with it. */
async function exchange(request: string): Promise<string> {
  return (await Client.open(service.port)).exchange(request);
}

async function get(target: string, ...fields: string[]) {
  const lines = [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...fields, '', ''];
  const answer = await exchange(lines.join('\r\n'));
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n') };
}

/** What a program's `env` printed. */
async function variables(target: string, ...fields: string[]): Promise<Record<string, string>> {
  const { body } = await get(target, ...fields);
  return Object.fromEntries(body.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

describe('the meta-variables (RFC 3875 §4.1)', () => {
  test('describe the request', async () => {
    expect(await variables('/env.sh/a%20b/c?q=1&r=%20')).toMatchObject({
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '/env.sh',
      PATH_INFO: '/a b/c',
      PATH_TRANSLATED: join(root, '/a b/c'),
      QUERY_STRING: 'q=1&r=%20',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_PORT: String(service.port),
      REMOTE_ADDR: '127.0.0.1',
      HTTP_HOST: 'localhost',
      DOCUMENT_ROOT: root,
      SCRIPT_FILENAME: join(root, 'env.sh'),
      REQUEST_URI: '/env.sh/a%20b/c?q=1&r=%20',
    });
  });

  test('of a program in a folder tell the path to it', async () => {
    expect(await variables('/sub/in.sh')).toMatchObject({ SCRIPT_NAME: '/sub/in.sh' });
  });

  test('hold no Proxy, no credentials, and nothing of the server', async () => {
    const env = await variables('/env.sh', 'Proxy: http://evil', 'Authorization: Basic eA==', 'X-Mine: yes');
    expect(env).toMatchObject({ HTTP_X_MINE: 'yes' });
    expect(Object.keys(env)).not.toContain('HTTP_PROXY');
    expect(Object.keys(env)).not.toContain('HTTP_AUTHORIZATION');
    expect(Object.keys(env)).not.toContain('CGI_ROOT');
  });
});

describe('a program', () => {
  test('reads the request body, of 10 MB too', async () => {
    const body = 'x'.repeat(10_000_000);
    const response = await fetch(`${service.url}/cat.sh`, { method: 'POST', body });
    expect(await response.text()).toBe(body);
  });

  test('need not read it', async () => {
    const response = await fetch(`${service.url}/deaf.sh`, { method: 'POST', body: 'x'.repeat(200_000) });
    expect(await response.text()).toBe('deaf\n');
  });

  test('is not given a body of unknown length', async () => {
    const answer = await exchange(
      'POST /cat.sh HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 411 /);
  });

  test('says the status and the fields, but for those of the connection', async () => {
    const response = await fetch(`${service.url}/status.sh`);
    const { status, statusText, headers } = response;
    expect([status, statusText, headers.get('x-a'), await response.text()]).toEqual([418, 'Teapot', '1', 'short']);
    expect(headers.get('connection')).not.toBe('close');
  });

  test('redirects a client elsewhere', async () => {
    const { status, head } = await get('/away.sh');
    expect(status).toBe(302);
    expect(head).toContain('Location: https://example.org/x');
  });

  test('lets another path answer', async () => {
    expect(await variables('/local.sh')).toMatchObject({
      SCRIPT_NAME: '/env.sh',
      PATH_INFO: '/there',
      QUERY_STRING: 'from=local',
      // What the client asked for.
      REQUEST_URI: '/local.sh',
    });
  });

  test.each([
    'loop.sh',
    'nothing.sh',
    'untyped.sh',
    'typed-twice.sh',
    'status-twice.sh',
    'broken.sh',
    'early.sh',
    'endless.sh',
  ])('that answers wrongly (%s) is a 502', async (name) => {
    expect((await get(`/${name}`)).status).toBe(502);
  });

  test('that is killed within its answer has the connection cut', async () => {
    // With failures of its own: of a client that has left, one may come after its test.
    const own = await serve((await import('../../apps/cgi.ts')).default);
    const answer = await (await Client.open(own.port)).exchange('GET /killed.sh HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(own.failures.map(String)).toEqual([expect.stringContaining('SIGKILL')]);
    await own.close();
  });

  test.each([
    ['late.sh', 'all of it\n', 'cgi: /late.sh: it exited with code 3 after its answer\n'],
    ['done.sh', 'done\n', 'cgi: /done.sh: it exited with SIGKILL after its answer\n'],
  ])('that has answered in full may exit as it likes, which is logged (%s)', async (name, body, line) => {
    const { default: cgi } = await import('../../apps/cgi.ts');
    const written: string[] = [];
    await using own = await serve((env, startResponse) => {
      Object.assign(env['wsgi.errors'], { write: (text: string) => written.push(String(text)) > 0 });
      return cgi(env, startResponse);
    });
    const response = await fetch(`${own.url}/${name}`);
    expect([response.status, await response.text()]).toEqual([200, body]);
    await eventually(() => written.length > 0);
    expect(written).toEqual([line]);
    expect(own.failures).toEqual([]);
  });

  test('that writes a megabyte to standard error is answered', async () => {
    expect((await get('/words.sh')).body).toContain('talked');
  });
});

describe('a client that leaves', () => {
  test.each([
    ['hangs', 'hang.sh', 'hang.pid'],
    ['floods', 'flood.sh', 'flood.pid'],
  ])('takes a program that %s with it, and what that has started', async (_, name, pidFile) => {
    const client = connect(service.port, '127.0.0.1');
    client.write(`GET /${name} HTTP/1.1\r\nHost: h\r\n\r\n`);
    const path = join(folder, pidFile);
    await eventually(() => existsSync(path) && /\n/.test(readFileSync(path, 'utf8')));
    const pids = [path, ...(name === 'hang.sh' ? [join(folder, 'grandchild.pid')] : [])];
    await eventually(() => pids.every((path) => existsSync(path) && /\n/.test(readFileSync(path, 'utf8'))));
    client.destroy();
    await once(client, 'close');
    for (const path of pids) await eventually(() => !isAlive(Number(readFileSync(path, 'utf8'))) || isZombie(path));
  });

  /** Where nobody reaps what has lost its parent, as in a container without an init. */
  function isZombie(path: string): boolean {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${readFileSync(path, 'utf8').trim()}/stat`, 'utf8'));
  }
});

describe('the path', () => {
  test.each([
    '/',
    '/none.sh',
    '/../outside.sh',
    '/sub/../../outside.sh',
    '/%2e%2e/outside.sh',
    '/..%2foutside.sh',
    '/..%5coutside.sh',
    '/%00env.sh',
    '/env.sh%00',
    '//env.sh',
    '/.hidden.sh',
    '/link.sh',
    '/sub',
  ])('%s runs nothing', async (target) => {
    expect((await get(target)).status).toBe(404);
  });

  test('of a file that is no program is refused, and not shown', async () => {
    const { status, body } = await get('/data.txt');
    expect(status).toBe(403);
    expect(body).not.toContain('data');
  });
});
