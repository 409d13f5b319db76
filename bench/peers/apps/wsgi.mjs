/** The routes as a WSGI app. */

import { setTimeout as sleep } from 'node:timers/promises';
import { hello, lengthOf, list, releaseText, spinForever, tenK, waitMs } from './routes.mjs';

const text = [['Content-Type', 'text/plain']];
const json = [['Content-Type', 'application/json']];
const bytes = [['Content-Type', 'application/octet-stream']];

/** @type {import('tsgun').App} */
export default function app(env, startResponse) {
  const path = env.PATH_INFO;
  if (path === '/json') {
    startResponse('200 OK', json);
    return [JSON.stringify(list())];
  }
  if (path === '/10k') {
    startResponse('200 OK', bytes);
    return [tenK];
  }
  if (path === '/upload' || path === '/wait') return later(path, env, startResponse);
  if (path === '/hang') spinForever();
  if (path === '/abort') process.abort();
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
