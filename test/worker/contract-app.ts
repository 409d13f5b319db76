/** What every worker class must be able to run: a route per thing that an app may do. It tells what befell it on `wsgi.errors`. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { App, Body, Environ, StartResponse } from '../../src/app/types.ts';

type Route = (env: Environ, startResponse: StartResponse) => Body | Promise<Body>;

/** What a request's app puts here is its own. */
const storage = new AsyncLocalStorage<string>();

const text = [['Content-Type', 'text/plain']] as const;

const routes: Record<string, Route> = {
  '/sync': (env, start) => {
    start('200 OK', text);
    return [`sync ${env.REQUEST_METHOD} ${env.QUERY_STRING}`];
  },
  '/async': async (_env, start) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    start('200 OK', text);
    return [Buffer.from('async'), ' and ', new Uint8Array([0x6f, 0x6b])];
  },
  '/flags': (env, start) => {
    start('200 OK', text);
    return [JSON.stringify({ multithread: env['wsgi.multithread'], multiprocess: env['wsgi.multiprocess'] })];
  },
  '/context': async (env, start) => {
    const before = storage.getStore();
    storage.enterWith(env.QUERY_STRING);
    await new Promise((resolve) => setImmediate(resolve));
    start('200 OK', text);
    return [`[${before} ${storage.getStore()}]`];
  },
  '/unicode': (_env, start) => {
    start('200 OK', text);
    return ['größer als ', '10 €'];
  },
  '/echo': (env, start) => {
    start('200 OK', text);
    return env['wsgi.input'];
  },
  '/unread': (_env, start) => {
    start('200 OK', text);
    return ['did not read'];
  },
  '/generator': (_env, start) => {
    start('200 OK', text);
    return (function* () {
      yield 'a';
      yield '';
      yield 'b';
    })();
  },
  '/write': async (_env, start) => {
    const write = start('200 OK', text);
    await write('written, ');
    return ['returned'];
  },
  '/write-wrong': (_env, start) => {
    void start('200 OK', text)(5 as never);
    return ['never'];
  },
  '/write-long': async (_env, start) => {
    void start('200 OK', [['Content-Length', '3']])('too long');
    await new Promise((resolve) => setTimeout(resolve, 5));
    return [];
  },
  '/write-name': async (_env, start) => {
    void start('200 OK', [['no name', '1']])('piece');
    await new Promise((resolve) => setTimeout(resolve, 5));
    return (function* () {
      yield 'never';
    })();
  },
  '/hints': (env, start) => {
    env['wsgi.early_hints']([['Link', '</style.css>; rel=preload']]);
    start('200 OK', text);
    return ['hinted'];
  },
  '/file': (env, start) => {
    start('200 OK', text);
    return new env['wsgi.file_wrapper'](createReadStream(fileURLToPath(import.meta.url)));
  },
  '/no-content': (_env, start) => {
    start('204 No Content', []);
    return [];
  },
  '/not-modified': (_env, start) => {
    start('304 Not Modified', [['ETag', '"x"']]);
    return [];
  },
  '/throw': () => {
    throw new Error('thrown at once');
  },
  '/reject': async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Error('thrown later');
  },
  '/cause': async () => {
    await Promise.any([
      Promise.reject(new Error('no answer from a')),
      Promise.reject(new Error('no answer from b')),
    ]).catch((cause: unknown) => {
      throw new Error('no prices', { cause });
    });
    return [];
  },
  '/throw-begun': (_env, start) => {
    start('200 OK', text);
    return (async function* () {
      yield 'begun';
      throw new Error('thrown too late');
    })();
  },
  '/throw-begun-later': (_env, start) => {
    start('200 OK', text);
    return (async function* () {
      yield 'begun';
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('thrown too late');
    })();
  },
  '/replaced': (_env, start) => {
    start('200 OK', text);
    start('418 Teapot', text, new Error('another answer'));
    return ['replaced'];
  },
  '/inject': (_env, start) => {
    start('200 OK', [['X-Bad', 'a\r\nSet-Cookie: b']]);
    return ['never'];
  },
  '/too-long': (_env, start) => {
    start('200 OK', [['Content-Length', '3']]);
    return (function* () {
      yield 'abc';
      yield 'def';
    })();
  },
  '/too-long-later': (_env, start) => {
    start('200 OK', [['Content-Length', '3']]);
    return (async function* () {
      yield 'abc';
      yield 'def';
    })();
  },
  '/too-short': (_env, start) => {
    start('200 OK', [['Content-Length', '9']]);
    return (function* () {
      yield 'abc';
    })();
  },
  '/closed': (env, start) => {
    start('200 OK', text);
    return Object.assign(endless(env), { close: () => say(env, 'close() was called') });
  },
  '/large': (env, start) => {
    start('200 OK', text);
    return pieces(env, 1024);
  },
  '/larger': (env, start) => {
    start('200 OK', text);
    return pieces(env, 3072);
  },
  '/signal': async (env, start) => {
    say(env, 'waiting');
    await aborted(env);
    start('200 OK', text);
    return ['nobody reads this'];
  },
  '/late-signal': async (env, start) => {
    say(env, 'not looking');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await aborted(env);
    start('200 OK', text);
    return [];
  },
  '/gate': async (env, start) => {
    say(env, 'at the gate');
    start('200 OK', text);
    // The body's end is the gate: the client holds it.
    for await (const _ of env['wsgi.input']);
    return ['through the gate'];
  },
  '/stuck': (env) => {
    env['tsgun.signal'].addEventListener('abort', () => say(env, `told: ${env['tsgun.signal'].reason.name}`));
    return new Promise(() => {});
  },
  '/polite': async (env) => {
    await aborted(env);
    throw env['tsgun.signal'].reason;
  },
  '/rescued': async (env, start) => {
    await aborted(env);
    start('503 Service Unavailable', text);
    return ['I did what I could'];
  },
  '/extended': async (env, start) => {
    env['tsgun.extendDeadline'](20);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    start('200 OK', text);
    return [`aborted: ${env['tsgun.signal'].aborted}`];
  },
  '/stuck-begun': (_env, start) => {
    start('200 OK', text);
    return (async function* () {
      yield 'begun';
      await new Promise(() => {});
    })();
  },
};

const app: App = (env, startResponse) => {
  const route = routes[env.PATH_INFO];
  if (route !== undefined) return route(env, startResponse);
  startResponse('404 Not Found', text);
  return ['no such route'];
};
export default app;

function say(env: Environ, line: string): void {
  env['wsgi.errors'].write(`${env.QUERY_STRING} ${line}\n`);
}

async function aborted(env: Environ): Promise<void> {
  const signal = env['tsgun.signal'];
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  say(env, `aborted: ${signal.reason.name}`);
}

async function* endless(env: Environ): AsyncGenerator<string> {
  try {
    for (;;) {
      yield 'x';
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    say(env, 'the generator was ended');
  }
}

const piece = Buffer.alloc(64 * 1024, 'x');

/** 1024 pieces are 64 MB, which no buffers on the way can hold. */
function* pieces(env: Environ, count: number): Generator<Uint8Array> {
  for (let index = 0; index < count; index++) yield piece;
  say(env, 'all of it was taken');
}
