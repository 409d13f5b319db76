import { memoryInUse } from '../lib/collect.js';

const headers = [['Content-Type', 'text/plain']];

/** @type {import('tsgun').App} */
export default function hello(env, startResponse) {
  startResponse('200 OK', headers);
  return [env.PATH_INFO === '/memory' ? memoryInUse() : 'Hello, world!\n'];
}
