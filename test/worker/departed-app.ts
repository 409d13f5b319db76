/** Apps of each interface that keep a client waiting. `say` what they see of its departure, by their path. */

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { App } from '../../src/app/types.ts';

/** Not by process.stdout: a thread's text may wait there for the event loop, which never comes to it in `block`. */
const say = (text: string) => void writeSync(1, `${text}\n`);
const never = () => new Promise<never>(() => {});
/** An error that nobody catches, once the client has left. */
const crash = () => {
  setTimeout(() => {
    throw new Error('escaped');
  }, 200);
  return never();
};
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Holds up its thread for longer, as a rule, than a client that has closed its half is waited for. */
function compute(): string {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  return 'computed';
}
function block(): never {
  for (;;);
}

// node

const nodeRoutes: Record<string, (req: IncomingMessage, res: ServerResponse) => unknown> = {
  '/quick': (_, res) => res.end('quick'),
  '/events': (_, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.write('data: 1\n\n');
  },
  '/pipe': (_, res) => {
    const source = new PassThrough();
    source.write('piece');
    source.pipe(res);
  },
  '/poll': () => {},
  '/returns': async (req) => {
    await once(req, 'close').catch(() => {});
  },
  '/never': never,
  '/crash': crash,
  '/ends-socket': (req, res) => {
    res.end('whole');
    req.socket.end();
  },
  '/ends-socket-later': async (req, res) => {
    await later(10);
    res.write('whole');
    await later(10);
    res.end('.');
    await later(10);
    req.socket.end();
  },
  '/destroys-request': (req, res) => {
    res.end('whole');
    req.destroy();
  },
  '/effect': (req, res) => {
    req.setEncoding('utf8').on('data', (body) => {
      say(`effect ${body}`);
      res.end('done');
    });
  },
  '/slow-effect': async (req, res) => {
    const body = await text(req);
    await later(500);
    say(`effect ${body}`);
    res.end();
  },
  '/busy': (_, res) => void setTimeout(() => res.end('no longer busy'), 2500),
  '/soon': (_, res) => void setTimeout(() => res.end('soon'), 300),
  '/computes': (_, res) => res.end(compute()),
  '/blocks': (_, res) => res.end(block()),
};

export function node(req: IncomingMessage, res: ServerResponse): unknown {
  const path = req.url!;
  res.on('close', () => {
    if (!res.writableEnded) say(`left ${path}`);
  });
  say(`begun ${path}`);
  return nodeRoutes[path]!(req, res);
}

// wsgi

const plain = [['Content-Type', 'text/plain']] as const;

const wsgiRoutes: Record<string, App> = {
  '/quick': (_env, start) => {
    start('200 OK', plain);
    return ['quick'];
  },
  /** A generator that waits for something else can only be told to end; `close` is called all the same. */
  '/events': (_env, start) => {
    start('200 OK', plain);
    async function* events() {
      yield 'data: 1\n\n';
      await never();
    }
    return Object.assign(events(), { close: () => say('left /events') });
  },
  '/poll': async (env, start) => {
    const { 'tsgun.signal': signal } = env;
    await once(signal, 'abort');
    say('left /poll');
    await never();
    start('200 OK', plain);
    return [];
  },
  '/returns': async (env, start) => {
    await once(env['tsgun.signal'], 'abort');
    say('left /returns');
    start('200 OK', plain);
    return [];
  },
  '/crash': crash,
  '/never': (env) => {
    env['tsgun.signal'].addEventListener('abort', () => say('left /never'));
    return never();
  },
  '/effect': async (env, start) => {
    for await (const body of env['wsgi.input']) say(`effect ${body}`);
    start('200 OK', plain);
    return ['done'];
  },
  '/slow-effect': async (env, start) => {
    const body = await text(env['wsgi.input']);
    await later(500);
    say(`effect ${body}`);
    start('200 OK', plain);
    return [];
  },
  '/busy': async (_env, start) => {
    await later(2500);
    start('200 OK', plain);
    return ['no longer busy'];
  },
  '/soon': async (_env, start) => {
    await later(300);
    start('200 OK', plain);
    return ['soon'];
  },
  '/computes': (_env, start) => {
    start('200 OK', plain);
    return [compute()];
  },
  '/blocks': (_env, start) => {
    start('200 OK', plain);
    return [block()];
  },
};

export const wsgi: App = (env, startResponse) => {
  say(`begun ${env.PATH_INFO}`);
  return wsgiRoutes[env.PATH_INFO]!(env, startResponse);
};

// fetch

const hono = new Hono();
hono.get('/quick', (c) => c.text('quick'));
hono.get('/events', (c) =>
  streamSSE(c, async (stream) => {
    stream.onAbort(() => say('left /events'));
    await stream.writeSSE({ data: '1' });
    await never();
  }),
);
/** A stream of which nothing ever comes. */
hono.get('/poll', () => new Response(new ReadableStream({ cancel: () => say('left /poll') })));
hono.get('/returns', async (c) => {
  await once(c.req.raw.signal, 'abort');
  say('left /returns');
  return c.text('too late');
});
hono.get('/crash', crash);
hono.get('/never', (c) => {
  c.req.raw.signal.addEventListener('abort', () => say('left /never'));
  return never();
});
hono.post('/effect', async (c) => {
  say(`effect ${await c.req.text()}`);
  return c.text('done');
});
hono.post('/slow-effect', async (c) => {
  const body = await c.req.text();
  await later(500);
  say(`effect ${body}`);
  return c.text('done');
});
hono.get('/busy', async (c) => {
  await later(2500);
  return c.text('no longer busy');
});
hono.get('/soon', async (c) => {
  await later(300);
  return c.text('soon');
});
hono.get('/computes', (c) => c.text(compute()));
hono.get('/blocks', (c) => c.text(block()));

export const fetch = {
  fetch(request: Request, info: object) {
    say(`begun ${new URL(request.url).pathname}`);
    return hono.fetch(request, info);
  },
};
