/** The access log from outside: every request has its line, through reloads and rotations, and none is forged. */

import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fifo } from '../log/fifo.ts';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

const app = `import { createServer } from 'node:http';
export default async (env, startResponse) => {
  if (env.PATH_INFO === '/wait') await new Promise(() => {});
  if (env.PATH_INFO === '/cut') { const write = startResponse('200 OK', [['Content-Length', '9']]); await write('abc'); throw new Error('no'); }
  if (env.PATH_INFO === '/fail') throw new Error('no');
  startResponse('200 OK', []);
  return [env['tsgun.requestId']];
};
export const fields = (env, startResponse) => {
  startResponse('200 OK', [['X-Made', 'by a thread'], ['Content-Length', '4']]);
  return ['made'];
};
export const upgrading = createServer().on('upgrade', (req, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
  socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end());
});
export const tcp = (socket) => socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end());
`;

const classes = ['async', 'threaded', 'sync'];

function serve(args: readonly string[] = [], name = 'app.mjs') {
  const { path } = makeFolder({ 'app.mjs': app });
  const file = join(path, 'access.log');
  const tsgun = start(name, ['--access-logfile', file, ...args], { cwd: path });
  const text = (from = file) => (existsSync(from) ? readFileSync(from, 'latin1') : '');
  const lines = () => text().split('\n').slice(0, -1);
  const records = () => lines().map((line) => JSON.parse(line));
  return { tsgun, path, file, text, lines, records };
}

/** Asks so many times, many at once; a request that met the end of an idle connection is sent again. */
async function askOften(tsgun: Tsgun, times: number, onAnswer: (answered: number) => void): Promise<void> {
  const { hostname, port } = new URL(await tsgun.url());
  let begun = 0;
  let answered = 0;
  const client = async () => {
    let socket: Socket | undefined;
    while (begun < times) {
      begun++;
      do {
        if (socket === undefined || socket.destroyed || socket.readyState !== 'open')
          socket = connect(Number(port), hostname);
      } while (!(await isAnswered(socket)));
      onAnswer(++answered);
    }
    socket?.destroy();
  };
  await Promise.all(Array.from({ length: 32 }, client));
}

/** Without Node's client, which costs more than the server. */
function isAnswered(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    let received = '';
    const end = (isWhole: boolean) => {
      socket.removeAllListeners().on('error', () => {});
      if (!isWhole || /^connection: close\r$/im.test(received)) socket.destroy();
      resolve(isWhole);
    };
    socket
      .on('data', (bytes) => {
        received += bytes.toString('latin1');
        const [, length] = /^content-length: (\d+)\r$/im.exec(received) ?? [];
        const body = received.indexOf('\r\n\r\n') + 4;
        if (body > 4 && length !== undefined && received.length >= body + Number(length)) end(true);
      })
      .on('end', () => end(false))
      .on('close', () => end(false))
      .on('error', () => end(false))
      .write('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
  });
}

describe.each(classes)('in the %s class', (workerClass) => {
  it('8,000 requests through reloads and rotations have exactly 8,000 lines', { timeout: 120_000 }, async () => {
    const { tsgun, file, text } = serve(['--workers', '2', '--threads', '2', '-k', workerClass]);
    await tsgun.workers(2);
    const moved: string[] = [];
    const rotate = () => {
      moved.push(`${file}.${moved.length}`);
      renameSync(file, moved.at(-1)!);
      tsgun.signal('SIGUSR1');
    };
    await askOften(tsgun, 8000, (answered) => {
      if (answered % 2500 === 1000) tsgun.signal('SIGHUP');
      if (answered % 4000 === 3000) rotate();
    });
    await tsgun.event('reload_finished');
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
    const all = [...moved, file].flatMap((each) => text(each).split('\n').slice(0, -1));
    expect(moved.length).toBeGreaterThan(1);
    expect(all).toHaveLength(8000);
    const form = /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/a HTTP\/1\.1" 200 \d+ "-" "-"$/;
    expect(all.filter((line) => !form.test(line))).toEqual([]);
  });

  it('a request has its line however it ends', async () => {
    const json = ['--access-logformat', 'json', '-k', workerClass, '--threads', '2', '--request-timeout', '0.5'];
    const { tsgun, lines, records } = serve([...json, '--graceful-timeout', '1']);
    await tsgun.workers(1);
    const ask = async (text: string) => (await tsgun.connect()).exchange(text);
    await ask('GET /ok?q HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n');
    await ask('GET /fail HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    await ask('GET /cut HTTP/1.1\r\nHost: h\r\n\r\n').catch(() => {});
    await ask('nonsense\r\n\r\n');
    await ask('GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    await eventually(() => lines().length === 5);
    const brief = ({ path, status, outcome, class: kind, worker }: Record<string, unknown>) =>
      [path, status, outcome, kind, worker].join(' ');
    expect(records().map(brief)).toEqual([
      `/ok 200 answered ${workerClass} 1`,
      `/fail 500 answered ${workerClass} 1`,
      `/cut 200 cut ${workerClass} 1`,
      ` 400 refused ${workerClass} 1`,
      `/wait 504 overdue ${workerClass} 1`,
    ]);
    expect(records()[0]).toMatchObject({ requestId: 'mine', bytes: 4, query: 'q' });
    const failed = tsgun.lines('request_failed').find(({ path }) => path === '/fail');
    expect(failed?.requestId).toBe(records()[1].requestId);
    expect((await tsgun.event('request_timeout')).requestId).toBe(records()[4].requestId);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('a request that a stop cuts has its line', async () => {
    const json = ['--access-logformat', 'json', '-k', workerClass, '--threads', '2'];
    const { tsgun, records } = serve([...json, '--graceful-timeout', '0.5']);
    await tsgun.workers(1);
    const client = await tsgun.connect();
    const ended = client.exchange('GET /wait HTTP/1.1\r\nHost: h\r\n\r\n').catch(() => {});
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
    await ended;
    expect(records()).toMatchObject([{ path: '/wait', outcome: 'cut', status: null }]);
  });
});

describe('the access log', () => {
  it('has a line for a raw connection, with its bytes', async () => {
    const { tsgun, records } = serve(['--access-logformat', 'json'], 'app.mjs:tcp');
    await tsgun.event('listening');
    const client = await tsgun.connect();
    client.socket.end('hello');
    await client.closed;
    await tsgun.stop();
    expect(records()).toMatchObject([{ method: 'TCP', bytes: 5, receivedBytes: 5, remoteAddr: '127.0.0.1' }]);
  });

  it('goes to standard output, without the paths that are skipped', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const format = '%(m)s %(U)s %(s)s %({x-a}i)s';
    const args = ['--access-logfile', '-', '--access-logformat', format, '--access-log-skip', '/health'];
    const tsgun = start('app.mjs', [...args, '--access-log-skip', '/assets/*'], { cwd: path });
    for (const each of ['/health?x', '/a', '/assets/b', '/healthy']) await tsgun.get(each);
    await tsgun.stop();
    expect(tsgun.stdout).toBe('GET /a 200 -\nGET /healthy 200 -\n');
  });

  it('has the fields of answers, also of those that come from a thread', async () => {
    const format = '%(s)s %({x-made}o)s %({content-length}o)s %({x-none}o)s';
    const { tsgun, lines } = serve(
      ['-k', 'threaded', '--threads', '1', '--access-logformat', format],
      'app.mjs:fields',
    );
    expect(await tsgun.ask('/')).toBe('made');
    await tsgun.stop();
    expect(lines()).toEqual(['200 by a thread 4 -']);
  });

  it('has a line for an upgraded connection when it ends, with its bytes and its length', async () => {
    const { tsgun, lines, records } = serve(['--access-logformat', 'json'], 'app.mjs:upgrading');
    const client = await tsgun.connect();
    client.socket.write('GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await client.until(/ 101 /);
    client.socket.write('hello');
    await client.until(/hello$/);
    expect(lines()).toEqual([]);
    client.socket.end();
    await client.closed;
    await tsgun.stop();
    expect(records()).toMatchObject([{ path: '/chat', status: 101, outcome: 'upgraded' }]);
    expect(records()[0].bytes).toBeGreaterThanOrEqual(5);
    expect(records()[0].receivedBytes).toBeGreaterThanOrEqual(5);
  });

  it.skipIf(process.geteuid?.() !== 0)('is the workers’ file under --user, made anew after a rotation', async () => {
    const { tsgun, path, file, records } = serve(['-u', 'nobody', '--access-logformat', 'json']);
    // The folder is root's: the workers could not make a file there.
    chmodSync(path, 0o755);
    await tsgun.get('/before');
    await eventually(() => records().length === 1);
    renameSync(file, `${file}.1`);
    tsgun.signal('SIGUSR1');
    await eventually(() => existsSync(file));
    // A worker opens it when it hears of it; until then lines go to the file that was moved.
    await eventually(async () => {
      await tsgun.get('/after');
      return records().length > 0;
    });
    await tsgun.stop();
    expect(statSync(file).uid).not.toBe(0);
    expect(records().every(({ path }) => path === '/after')).toBe(true);
  });

  it('whose reader has stopped loses lines, and the error log has their number', async () => {
    const fifo = new Fifo();
    const { path } = makeFolder({ 'app.mjs': app });
    const format = `%(U)s ${'x'.repeat(4000)}`;
    const tsgun = start('app.mjs', ['--access-logfile', fifo.path, '--access-logformat', format], { cwd: path });
    const asked = 1500;
    await askOften(tsgun, asked, () => {});
    let text = '';
    const lines = () => text.split('\n').filter((line) => line.startsWith('/a ')).length;
    const dropped = () => tsgun.lines('log_dropped').reduce((sum, line) => sum + Number(line.dropped), 0);
    await eventually(() => {
      text += fifo.read();
      return lines() + dropped() === asked;
    });
    expect(dropped()).toBeGreaterThan(0);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('is not forged by what a client sends', async () => {
    const { tsgun, lines } = serve(['--access-logformat', '"%(r)s" "%(a)s"']);
    await tsgun.workers(1);
    const head = 'GET /%0a%22 HTTP/1.1\r\nHost: h\r\nUser-Agent: a" "\xe9\tb\r\nConnection: close\r\n\r\n';
    await (await tsgun.connect()).exchange(head);
    await tsgun.stop();
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toBe('"GET /%0a%22 HTTP/1.1" "a\\x22 \\x22\\xE9\\x09b"');
  });

  it.skipIf(process.platform !== 'linux')(
    'on a full disk costs lines, not requests, and the error log says so',
    async () => {
      const { path } = makeFolder({ 'app.mjs': app });
      const tsgun = start('app.mjs', ['--access-logfile', '/dev/full'], { cwd: path });
      await tsgun.workers(1);
      expect((await tsgun.get('/')).status).toBe(200);
      await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith('the access log cannot be written')), 'word');
      expect((await tsgun.get('/')).status).toBe(200);
      expect(await tsgun.stop()).toMatchObject({ code: 0 });
    },
  );

  it('that cannot be written is said at the start', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--access-logfile', join(path, 'none', 'a.log')], { cwd: path });
    const [code] = await once(tsgun.process, 'exit');
    await tsgun.exited;
    expect(code).toBe(1);
    expect(tsgun.describe()).toContain('accessLogfile: expected a file that can be written');
    expect(tsgun.describe()).toContain('(--access-logfile)');
  });
});
