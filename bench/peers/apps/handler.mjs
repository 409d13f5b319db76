/** The routes as a handler of node:http. */

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

/** @type {import('node:http').RequestListener} */
export default async function handler(request, response) {
  const { url } = request;
  if (url === '/') return end(response, 'text/plain', hello, status);
  if (url === '/json') return end(response, 'application/json', JSON.stringify(list()));
  if (url === '/10k') return end(response, 'application/octet-stream', tenK);
  if (url === '/100k') return end(response, 'application/octet-stream', hundredK);
  if (url === '/gzip') return endCompressed(response, compressed());
  if (url.startsWith('/fib/')) return end(response, 'text/plain', fibText(url));
  if (url === '/download') return end(response, 'application/octet-stream', large);
  if (url === '/upload') return end(response, 'text/plain', await lengthOf(request));
  if (url.startsWith('/release/')) return end(response, 'text/plain', releaseText(url));
  if (url === '/hang') spinForever();
  if (url === '/abort') process.abort();
  if (url === '/wait') await sleep(waitMs);
  works[url]?.();
  end(response, 'text/plain', hello);
}

function end(response, type, body, code = 200) {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': body.length });
  response.end(body);
}

function endCompressed(response, body) {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Encoding': 'gzip',
    'Content-Length': body.length,
  });
  response.end(body);
}
