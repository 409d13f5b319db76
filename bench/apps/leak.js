/** Every way an answer can be made, so that each has its chance to leak when its client goes away. */

import { setTimeout as sleep } from 'node:timers/promises';
import { memoryInUse } from '../lib/collect.js';

const text = [['Content-Type', 'text/plain']];
const large = Buffer.alloc(64 * 1024, 'x');
let calls = 0;

/** @type {import('tsgun').App} */
export default function app(env, startResponse) {
  calls++;
  startResponse('200 OK', text);
  switch (env.PATH_INFO) {
    case '/large':
      return [large];
    case '/pieces':
      return pieces();
    case '/slow':
      return slow(env['tsgun.signal']);
    case '/echo':
      return env['wsgi.input'];
    case '/memory':
      return [memoryInUse()];
    case '/calls':
      return [String(calls)];
    default:
      return ['Hello, world!\n'];
  }
}

function* pieces() {
  for (let index = 0; index < 8; index++) yield large.subarray(0, 8192);
}

async function* slow(signal) {
  yield 'a';
  await sleep(2, undefined, { signal });
  yield 'b';
}
