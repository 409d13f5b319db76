/** What a program sees of its servers, and what becomes of them. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, type LogLine, makeFolder, type StartOptions, start, Tsgun } from '../integration/harness.ts';
import { shareServer } from '../integration/shared.ts';
import { freePort, freePorts } from '../ports.ts';

/** A program that answers with what it has seen so far, and tsgun that runs it. */
function run(text: string, args: readonly string[] = [], options: StartOptions = {}): Tsgun {
  const { path } = makeFolder({ 'server.cjs': programOf(text) });
  return start('server.cjs', args, { cwd: path, ...options });
}

const programOf = (text: string) => `const http = require('node:http');
  const net = require('node:net');
  const seen = [];
  const answer = (req, res) => res.end(JSON.stringify(seen));
  ${text}`;

/** One instance, which becomes each of the programs that need no other options. */
const shared = shareServer({ 'server.cjs': programOf('http.createServer(answer).listen(3000);') }, 'server.cjs');

/** As `run`, by a reload. @returns a function for the lines of the log since */
const become = (text: string) => shared.reload({ 'server.cjs': programOf(text) });
const seen = () => seenBy(shared.tsgun);
const readyIn = (log: readonly LogLine[]) => log.find(({ event }) => event === 'worker_ready')!;

/** One at least: who answers may be ahead of who logs. */
async function warningsIn(log: () => readonly LogLine[]): Promise<string[]> {
  const warnings = () => log().flatMap(({ level, msg }) => (level === 'warn' ? [msg] : []));
  await shared.tsgun.until(() => warnings().length > 0, 'a warning');
  return warnings();
}

async function seenBy(tsgun: Tsgun): Promise<unknown> {
  return JSON.parse((await tsgun.get('/')).text);
}

const portOf = async (tsgun: Tsgun) => Number(new URL(await tsgun.url()).port);

describe('the server of a program', () => {
  it.each([
    'server.listen(3000, callback)',
    "server.listen('3000', '127.0.0.1', callback)",
    'server.listen(3000, 511, callback)',
    'server.listen(callback)',
    "server.listen('/tmp/nobody-makes-this.sock', callback)",
    'server.listen({ port: 3000, exclusive: true }, callback)',
    'server.listen({ port: 3000, signal: new AbortController().signal }, callback)',
    'server.listen({ fd: 3 }, callback)',
    'server.listen(3000, callback).unref()',
  ])('%s: it is told that it listens, where tsgun does', async (listen) => {
    await become(`const server = http.createServer(answer);
      const callback = () => seen.push('callback');
      server.on('listening', () => seen.push(server.listening, server.address()));
      const same = ${listen};
      seen.push(same === server, server.listening);`);
    const port = await portOf(shared.tsgun);
    expect(await seen()).toEqual(
      expect.arrayContaining([true, true, 'callback', { address: '127.0.0.1', family: 'IPv4', port }]),
    );
    expect(shared.tsgun.text).toEqual([]);
  });

  it('may listen once only', async () => {
    await become(`const server = http.createServer(answer).listen(3000);
      try { server.listen(3001); } catch (error) { seen.push(error.code); }
      try { http.createServer().listen(99999); } catch (error) { seen.push(error.code); }`);
    expect(await seen()).toEqual(['ERR_SERVER_ALREADY_LISTEN', 'ERR_SOCKET_BAD_PORT']);
  });

  it('has the path of a unix socket for its address', async () => {
    const { path } = makeFolder({
      'app.cjs': "const server = require('http').createServer((q, s) => s.end(server.address())).listen(3000)",
    });
    const tsgun = new Tsgun(['app.cjs', '--bind', `unix:${path}/own.sock`], { cwd: path });
    await tsgun.event('worker_ready');
    const socket = connect(`${path}/own.sock`);
    socket.end('GET / HTTP/1.0\r\n\r\n');
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toContain(`${path}/own.sock`);
    await tsgun.stop();
  });

  it('may listen late, and the worker is ready then', async () => {
    const log = await become(
      `setTimeout(() => http.createServer(answer).listen(process.env.PORT), 600); seen.push('late');`,
    );
    expect(await seen()).toEqual(['late']);
    expect(readyIn(log()).bootMs).toBeGreaterThan(600);
  });

  it('may listen while its module waits for ever', async () => {
    const { path } = makeFolder({
      'app.mjs':
        "import { createServer } from 'http'; createServer((q, s) => s.end('up')).listen(3000); await new Promise(() => {});",
    });
    const tsgun = start('app.mjs', [], { cwd: path });
    expect((await tsgun.get('/')).text).toBe('up');
    await tsgun.stop();
  });

  it('that the app closes is the end of its worker, after the requests that run; another takes its place', async () => {
    const tsgun = run(`const server = http.createServer((req, res) => {
        if (req.url === '/close') server.close((error) => console.log('closed', String(error)));
        setTimeout(() => res.end('done'), req.url === '/close' ? 300 : 0);
      }).listen(3000);`);
    expect((await tsgun.get('/close')).text).toBe('done');
    await tsgun.event('worker_exited');
    expect(tsgun.lines('worker_exited')[0]).toMatchObject({ code: 0, reason: 'killed' });
    expect(tsgun.stdout).toContain('closed undefined');
    await tsgun.event('worker_ready', 2);
    expect(await tsgun.ask('/')).toBe('done');
    await tsgun.stop();
  });

  it('knows its connections', async () => {
    await become(`const server = http.createServer((req, res) =>
        server.getConnections((error, count) => res.end(JSON.stringify([count, server.closeIdleConnections(), server.unref() === server, server.ref() === server])))
      ).listen(3000);`);
    expect(await seen()).toEqual([1, null, true, true]);
  });
});

describe('of several servers', () => {
  it('one that looks for a free port does not count, and the program may then take that port', async () => {
    const log = await become(`const probe = net.createServer().listen(3000, () => {
        const { port } = probe.address();
        probe.close(() => http.createServer(answer).listen(port, () => seen.push('app')));
      });`);
    expect(await seen()).toEqual(['app']);
    expect(readyIn(log()).askedFor).toBeUndefined();
  });

  it('one that looks whether $PORT is free does not count either', async () => {
    await become(`(async () => {
        const host = '127.0.0.1';
        const port = Number(process.env.PORT);
        await null;
        const probe = net.createServer();
        await new Promise((resolve) => probe.listen({ host, port }, () => probe.close(resolve)));
        http.createServer(answer).listen({ host, port }, () => seen.push('app'));
      })();`);
    expect(await seen()).toEqual(['app']);
  });

  it('one that asks for any port at all gets one that is free', async () => {
    await become(`const probe = net.createServer().listen(0, () => {
        const { port } = probe.address();
        probe.close(() => net.createServer().listen(port).on('error', (error) => seen.push(error.code)).on('listening', () => seen.push(port !== Number(process.env.PORT))));
      });
      setTimeout(() => http.createServer(answer).listen(process.env.PORT), 200);`);
    expect(await seen()).toEqual([true]);
  });

  it('the one that asks for $PORT is the app, and the others listen for themselves, shared by the workers', async () => {
    const other = await freePort();
    const tsgun = run(
      `http.createServer((req, res) => res.end('metrics')).listen(${other}, '127.0.0.1', () => seen.push('metrics'));
       http.createServer(answer).listen(process.env.PORT, () => seen.push('app'));`,
      ['--workers', '2'],
    );
    await tsgun.workers(2);
    const ready = tsgun.lines('worker_ready')[0]!;
    expect(ready.serves).toMatch(/^the http\.Server that asked for port \d+, one of 2 that listen$/);
    expect(ready.askedFor).toBeUndefined();
    expect((await seenBy(tsgun)) as string[]).toEqual(expect.arrayContaining(['metrics', 'app']));
    const metrics = () => fetch(`http://127.0.0.1:${other}/`, { headers: { connection: 'close' } });
    expect(await (await metrics()).text()).toBe('metrics');
    const line = `the app also listens on 127.0.0.1:${other} itself; the workers share it`;
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg === line), line);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited', 2);
    expect(await (await metrics()).text()).toBe('metrics');
    await tsgun.stop();
    await expect(metrics()).rejects.toThrow();
  });

  it.each([
    ['after', "app(3000); other(PORT, '127.0.0.1')"],
    ['before', "other(PORT, '127.0.0.1'); app(process.env.PORT)"],
  ])(
    'another that listens %s it in the same turn is told its own address, once it can be reached there',
    async (_when, listen) => {
      const port = await freePort();
      await become(`const app = (...args) => http.createServer(answer).listen(...args);
      const other = (...args) => {
        const server = http.createServer((req, res) => res.end('other'));
        server.listen(...args, () => {
          seen.push(server.address());
          http.get(server.address(), (res) => res.on('data', (data) => seen.push(String(data))));
        });
      };
      ${listen.replace('PORT,', `${port},`)};`);
      await expect.poll(seen).toEqual([{ address: '127.0.0.1', family: 'IPv4', port }, 'other']);
    },
  );

  it('one that asks for port 0 beside the app has a port of its own from the start', async () => {
    const tsgun = run(
      `http.createServer(answer).listen(3000);
       const inner = http.createServer((req, res) => res.end('inner')).listen(0, '127.0.0.1', () => seen.push(inner.address().port));`,
    );
    const [port] = (await seenBy(tsgun)) as number[];
    expect(await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text()).toBe('inner');
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toEqual([]);
    await tsgun.stop();
  });

  it('one that asked for port 0 before the app did is warned of: it was told the address of tsgun', async () => {
    const log = await become(`http.createServer((req, res) => res.end('inner')).listen(0, () => {
        http.createServer(answer).listen(process.env.PORT, () => seen.push('app'));
      });`);
    expect(await seen()).toEqual(['app']);
    expect(await warningsIn(log)).toEqual([
      expect.stringMatching(/^the app's http\.Server that asked for port 0 had tsgun's address/),
    ]);
  });

  it('one that needs the address of tsgun fails, and the error names both', async () => {
    await become(`http.createServer(answer).listen(3000);
      setTimeout(() => net.createServer().on('error', ({ code, message }) => seen.push(code, message)).listen(process.env.PORT), 300);
      setInterval(() => {}, 1000);`);
    const port = await portOf(shared.tsgun);
    await eventually(async () => ((await seen()) as unknown[]).length > 0);
    expect(await seen()).toEqual([
      'EADDRINUSE',
      `listen EADDRINUSE: address already in use port ${port}: tsgun listens there for the app's server that asked for port 3000; give this server another`,
    ]);
  });

  it('in threads each may have one of its own too', async () => {
    const other = await freePort();
    const tsgun = run(
      `http.createServer(answer).listen(process.env.PORT, () => seen.push('app'));
       http.createServer((req, res) => res.end('metrics')).listen(${other}, '127.0.0.1').on('error', () => {});`,
      ['--worker-class', 'threaded', '--threads', '3'],
    );
    expect(await seenBy(tsgun)).toEqual(['app']);
    expect(await (await fetch(`http://127.0.0.1:${other}/`, { headers: { connection: 'close' } })).text()).toBe(
      'metrics',
    );
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('a program that exports and listens', () => {
  const both = `const app = (req, res) => res.end('export');
    const server = http.createServer((req, res) => res.end('server')).listen(3000);`;

  it('is served by its server', async () => {
    await become(`${both} module.exports = app;`);
    expect(await shared.tsgun.ask()).toBe('server');
  });

  it('is served by its export where that is named, and its server binds nothing', async () => {
    const { path } = makeFolder({
      'server.cjs': `const http = require('node:http'); ${both} exports.app = app; server.on('error', (error) => console.log(error));
        server.on('listening', () => console.log('listens on', server.address().port));`,
    });
    const tsgun = start('server.cjs:app', ['--interface', 'node'], { cwd: path });
    expect((await tsgun.get('/')).text).toBe('export');
    expect((await tsgun.event('worker_ready')).serves).toBeUndefined();
    await tsgun.until(
      () => tsgun.stdout === `listens on ${new URL(String(tsgun.lines('listening')[0]!.url)).port}\n`,
      'told',
    );
    await tsgun.stop();
  });

  it('is served by its server where that listens after a while', async () => {
    await become(`module.exports = (req, res) => res.end('export');
      setTimeout(() => http.createServer((req, res) => res.end('server')).listen(3000), 500);`);
    expect(await shared.tsgun.ask()).toBe('server');
  });
});
describe.each(['async', 'threaded'])('beside an export that is named, a server (%s)', (workerClass) => {
  const options = ['--workers', '2', '--worker-class', workerClass, '--threads', '2'];
  const ask = async (port: number) =>
    (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();

  it('listens for itself, be it http or net, early or late; that of the export does not', async () => {
    const [metrics = 0, late = 0, raw = 0, own = 0] = await freePorts(4);
    const { path } = makeFolder({
      'server.cjs': `const http = require('node:http'), net = require('node:net');
        exports.app = (req, res) => res.end('export');
        http.createServer(exports.app).listen(${own}, '127.0.0.1');
        http.createServer((req, res) => res.end('metrics')).listen(${metrics}, '127.0.0.1');
        net.createServer((socket) => socket.end('raw')).listen(${raw}, '127.0.0.1');
        setTimeout(() => http.createServer((req, res) => res.end('late')).listen(${late}, '127.0.0.1'), 200);`,
    });
    const tsgun = start('server.cjs:app', ['--interface', 'node', ...options], { cwd: path });
    await tsgun.workers(2);
    expect(await tsgun.ask()).toBe('export');
    expect(await ask(metrics)).toBe('metrics');
    const socket = connect(raw, '127.0.0.1');
    expect(String((await once(socket, 'data'))[0])).toBe('raw');
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg.includes(`127.0.0.1:${late} itself`)), 'the late one');
    await eventually(() =>
      ask(late).then(
        (text) => text === 'late',
        () => false,
      ),
    );
    await expect(ask(own)).rejects.toThrow();
    tsgun.signal('SIGHUP');
    await tsgun.event('worker_exited', 2);
    // Threads cannot share a port before Node 22.12: one of the new ones takes it when the old one has left.
    await eventually(() =>
      ask(metrics).then(
        (text) => text === 'metrics',
        () => false,
      ),
    );
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    await expect(ask(metrics)).rejects.toThrow();
  });

  it('that asks for the address of tsgun is taken for its server; a net.Server is refused, and the error names both', async () => {
    const { path } = makeFolder({
      'server.cjs': `const http = require('node:http'), net = require('node:net');
        const seen = [];
        http.createServer((req, res) => res.end('other')).listen(process.env.PORT, () => seen.push('told'));
        net.createServer().on('error', ({ code, message }) => seen.push(code, message)).listen(process.env.PORT);
        exports.app = (req, res) => res.end(JSON.stringify(seen));`,
    });
    const tsgun = start('server.cjs:app', ['--interface', 'node', ...options], { cwd: path });
    const port = await portOf(tsgun);
    expect((await seenBy(tsgun)) as string[]).toEqual([
      'told',
      'EADDRINUSE',
      expect.stringMatching(
        `in use port ${port}: tsgun listens there for the app's server that asked for port ${port};`,
      ),
    ]);
    await tsgun.stop();
  });
});

describe('the process of a program', () => {
  it.each(['async', 'threaded'])(
    'is as under node: its main module, its arguments, its environment (%s)',
    async (workerClass) => {
      const tsgun = run(
        `const { basename } = require('node:path');
       process.chdir(__dirname);
       seen.push(require.main === module, basename(require.main.filename), process.argv.slice(1).map((arg) => basename(arg)),
         require('node:cluster').isPrimary, process.env.PORT, process.env.HOST);
       http.createServer(answer).listen(3000);`,
        ['--worker-class', workerClass, '--threads', '1', '--', '--flag', 'x', '1e3'],
        { env: { PORT: undefined, HOST: undefined } },
      );
      const port = await portOf(tsgun);
      expect(await seenBy(tsgun)).toEqual([
        true,
        'server.cjs',
        ['server.cjs', '--flag', 'x', '1e3'],
        false,
        String(port),
        '127.0.0.1',
      ]);
      await tsgun.stop();
    },
  );

  it.each(['async', 'threaded'])('is as under node for an ES module too (%s)', async (workerClass) => {
    const { path } = makeFolder({
      'server.mjs': `import { createServer } from 'node:http';
        createServer((req, res) => res.end(JSON.stringify([import.meta.main, process.argv[1].endsWith('/server.mjs')]))).listen(3000);`,
    });
    const tsgun = start('server.mjs', ['--worker-class', workerClass, '--threads', '1'], { cwd: path });
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const knowsMain = major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 18);
    expect(JSON.parse((await tsgun.get('/')).text)).toEqual([knowsMain ? true : null, true]);
    await tsgun.stop();
  });

  it.each([
    ['a file without an extension', 'bin/www', 'bin/www'],
    ['a path without its extension', 'dist/main', 'dist/main.js'],
    ['a folder with a package.json', '.', 'lib/start.cjs'],
  ])('is found as by node: %s', async (_, named, file) => {
    const { path } = makeFolder({
      'package.json': '{ "main": "./lib/start.cjs" }',
      [file]: `const seen = [require.main === module, require.main.filename, process.argv[1]];
        require('node:http').createServer((req, res) => res.end(JSON.stringify(seen))).listen(process.env.PORT);`,
    });
    const tsgun = start(named, [], { cwd: path });
    expect(await seenBy(tsgun)).toEqual([true, join(path, file), join(path, named)]);
    await tsgun.stop();
  });

  it('in a thread cannot go to another folder', async () => {
    const tsgun = run(
      `try { process.chdir('..'); } catch (error) { seen.push(error.code); }
       try { process.chdir('./nowhere'); } catch (error) { seen.push(error.code); }
       http.createServer(answer).listen(3000);`,
      ['--worker-class', 'threaded', '--threads', '1'],
    );
    expect(await seenBy(tsgun)).toEqual(['ERR_WORKER_UNSUPPORTED_OPERATION', 'ERR_WORKER_UNSUPPORTED_OPERATION']);
    await tsgun.stop();
  });

  it('has the port and the host that the user has set', async () => {
    const tsgun = run('seen.push(process.env.PORT, process.env.HOST); http.createServer(answer).listen(3000);', [
      '--env',
      'PORT=3000',
      '--env',
      'HOST=example.org',
    ]);
    expect(await seenBy(tsgun)).toEqual(['3000', 'example.org']);
    expect((await tsgun.event('worker_ready')).askedFor).toBe(3000);
    await tsgun.stop();
  });

  it.each([
    ['https', "require('node:https').createServer({}, answer)", 'http.Server'],
    ['http2', "require('node:http2').createServer(answer)", 'Http2Server'],
    ['secure http2', "require('node:http2').createSecureServer({ allowHTTP1: true }, answer)", 'Http2Server'],
  ])('is served in plain HTTP where it speaks %s, and the log says so', async (_, server, kind) => {
    const log = await become(`${server}.listen(8443, () => seen.push('listens'));`);
    expect(await seen()).toEqual(['listens']);
    expect(readyIn(log())).toMatchObject({
      serves: `the ${kind} that asked for port 8443`,
      askedFor: 8443,
    });
    expect((await warningsIn(log)).filter((msg) => /plain HTTP/.test(msg))).toHaveLength(1);
  });
});

describe('a program with no app', () => {
  it.each([
    [
      'that exports nothing and listens nowhere',
      'app.mjs',
      'setTimeout(() => {}, 100);',
      /app\.mjs exports nothing\. It does not listen either: export the app \(export default app, or module\.exports = app\), or call listen\(\) on its server$/,
    ],
    [
      'that exports something else',
      'app.mjs',
      'export const routes = [], db = 1;',
      /it exports db, routes\).*\. It does not listen/,
    ],
    ['in CommonJS', 'app.cjs', 'exports.start = () => {};', /^app: the export is an object.*\. It does not listen/],
    ['in CommonJS that exports nothing', 'app.cjs', '1;', /^app: app\.cjs exports nothing\. It does not listen either/],
    [
      'whose server is closed again',
      'app.cjs',
      "require('http').createServer().listen(3000, function () { this.close(); });",
      /does not listen/,
    ],
    [
      'that waits for what never comes',
      'app.mjs',
      'await new Promise(() => {});',
      /^app: app\.mjs waits for something that will not happen/,
    ],
  ])('%s ends at once with 4, and the error says what it could do', async (_, name, text, error) => {
    const { path } = makeFolder({ [name]: text });
    for (const workerClass of ['async', 'threaded']) {
      const tsgun = start(name, ['--worker-class', workerClass, '--threads', '2'], { cwd: path });
      expect(await tsgun.exited).toEqual({ code: 4, signal: null });
      expect(tsgun.lines('worker_exited')[0]!.error).toMatch(error);
    }
  });

  it('and with something left to do ends with the boot timeout', async () => {
    const { path } = makeFolder({ 'app.mjs': 'export const other = 1; setInterval(() => {}, 1000);' });
    const tsgun = start('app.mjs', ['--boot-timeout', '16', '--workers', '2'], { cwd: path });
    expect(await tsgun.exited).toEqual({ code: 4, signal: null });
    // Meanwhile it is said what is awaited, once for all workers.
    const warnings = tsgun.log.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ msg }) => msg)).toEqual([
      'a worker is not ready yet (tsgun waits up to 16 s, see bootTimeout): app.mjs exports no app, and does not listen yet. Export the app (export default app, or module.exports = app), or call listen() on its server',
    ]);
    expect(tsgun.lines('worker_exited')[0]!.error).toMatch(
      /it exports other\).*\. It does not listen in time either: export the app \(export default app, or module\.exports = app\), or call listen\(\)/,
    );
  });
});
