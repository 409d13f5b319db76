/** The app that the conformance cases are sent to: it says what it saw. On `/unread` it leaves the body unread. */

import type { App, Environ } from '../../src/app/types.ts';
import type { Echo } from './judge.ts';

export const app: App = (env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  const hasBody = env.HTTP_TRANSFER_ENCODING !== undefined || Number(env.CONTENT_LENGTH ?? 0) > 0;
  // Without a body it answers in the same tick, with one later: both ways are in use.
  if (env.PATH_INFO === '/unread' || !hasBody) return [report(env, '')];
  return readAll(env).then((body) => [report(env, body)]);
};

async function readAll(env: Environ): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of env['wsgi.input']) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

function report(env: Environ, body: string): string {
  const texts = Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const echo: Echo = { method: env.REQUEST_METHOD, target: env.RAW_URI, body, environ: Object.fromEntries(texts) };
  return JSON.stringify(echo);
}
