/** Large bodies both ways, each hashed by who gets it. It counts in files, which tell in every worker class. */

import { createHash } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pieces } from '../lib/pattern.js';

const type = ['Content-Type', 'application/octet-stream'];

/** @type {import('tsgun').App} */
export default async function bulk(env, startResponse) {
  const query = new URLSearchParams(env.QUERY_STRING);
  const bytes = Number(query.get('bytes'));
  switch (env.PATH_INFO) {
    case '/up': {
      const hash = createHash('sha256');
      for await (const piece of env['wsgi.input']) hash.update(piece);
      startResponse('200 OK', [type]);
      return [hash.digest('hex')];
    }
    case '/down':
      startResponse('200 OK', [type]);
      return pieces(bytes);
    case '/down-length':
      startResponse('200 OK', [type, ['Content-Length', String(bytes)]]);
      return pieces(bytes);
    case '/counted':
      startResponse('200 OK', [type]);
      return counted(bytes, query.get('file'));
    case '/unread':
      // Until the file is there; only then is the upload read.
      while (!existsSync(query.get('file'))) await sleep(50);
      return bulk({ ...env, PATH_INFO: '/up' }, startResponse);
    default:
      startResponse('200 OK', [type]);
      return ['ready\n'];
  }
}

/** A byte in the file for every piece that was asked for. */
function* counted(bytes, file) {
  for (const piece of pieces(bytes)) {
    appendFileSync(file, '.');
    yield piece;
  }
}
