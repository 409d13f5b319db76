/** The routes for servers that speak in `Request` and `Response`. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  compressed,
  fibText,
  hello,
  hundredK,
  large,
  list,
  releaseText,
  spinForever,
  status,
  tenK,
  waitMs,
  works,
} from './routes.mjs';

const text = { headers: { 'Content-Type': 'text/plain' } };
const gzip = { headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } };
const bytes = { headers: { 'Content-Type': 'application/octet-stream' } };

export const routes = {
  '/': () => new Response(hello, { ...text, status }),
  '/json': () => Response.json(list()),
  '/10k': () => new Response(tenK, bytes),
  '/100k': () => new Response(hundredK, bytes),
  '/gzip': () => new Response(compressed(), gzip),
  '/download': () => new Response(large, bytes),
  '/upload': async (request) => {
    let length = 0;
    for await (const piece of request.body) length += piece.length;
    return new Response(`${length}\n`, text);
  },
  '/hang': () => spinForever(),
  '/abort': () => process.abort(),
  '/wait': async () => {
    await sleep(waitMs);
    return new Response(hello, text);
  },
  ...Object.fromEntries(
    Object.entries(works).map(([path, work]) => [
      path,
      () => {
        work();
        return new Response(hello, text);
      },
    ]),
  ),
};

export function anyOther(request) {
  const path = pathOf(request.url);
  if (path.startsWith('/fib/')) return new Response(fibText(path), text);
  return new Response(path.startsWith('/release/') ? releaseText(path) : hello, text);
}

export function answer(request) {
  return (routes[pathOf(request.url)] ?? anyOther)(request);
}

/** Of an absolute URL, without its query. */
function pathOf(url) {
  const start = url.indexOf('/', 8);
  const query = url.indexOf('?', start);
  return query === -1 ? url.slice(start) : url.slice(start, query);
}
