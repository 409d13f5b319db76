/** The routes as a WSGI app. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  compressed,
  fibText,
  hello,
  hundredK,
  large,
  lengthOf,
  list,
  releaseText,
  spinForever,
  status,
  tenK,
  waitMs,
  works,
} from './routes.mjs';

const text = [['Content-Type', 'text/plain']];
const json = [['Content-Type', 'application/json']];
const root = status === 200 ? '200 OK' : '500 Internal Server Error';
const bytes = [['Content-Type', 'application/octet-stream']];

const gzip = [...json, ['Content-Encoding', 'gzip']];
const buffers = { '/10k': tenK, '/100k': hundredK, '/download': large };

/** @type {import('tsgun').App} */
export default function app(env, startResponse) {
  const path = env.PATH_INFO;
  if (path === '/') {
    startResponse(root, text);
    return [hello];
  }
  if (path === '/json') {
    startResponse('200 OK', json);
    return [JSON.stringify(list())];
  }
  const buffer = buffers[path];
  if (buffer !== undefined) {
    startResponse('200 OK', bytes);
    return [buffer];
  }
  if (path === '/gzip') {
    startResponse('200 OK', gzip);
    return [compressed()];
  }
  if (path.startsWith('/fib/')) {
    startResponse('200 OK', text);
    return [fibText(path)];
  }
  if (path === '/upload' || path === '/wait') return later(path, env, startResponse);
  if (path === '/hang') spinForever();
  if (path === '/abort') process.abort();
  works[path]?.();
  startResponse('200 OK', text);
  return [path.startsWith('/release/') ? releaseText(path) : hello];
}

async function later(path, env, startResponse) {
  let body = hello;
  if (path === '/upload') body = await lengthOf(env['wsgi.input']);
  else await sleep(waitMs);
  startResponse('200 OK', text);
  return [body];
}
