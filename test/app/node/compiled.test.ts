/** What V8 makes of the objects of each request: compiled once, and not again and again beside all requests. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const library = new URL('../../../dist/index.js', import.meta.url).href;

const script = `
  import { connect } from 'node:net';
  import { createServer } from ${JSON.stringify(library)};
  const server = createServer((req, res) => res.end('hello'), { interface: 'node' });
  const { port } = await server.listen();
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  const batch = 'GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n'.repeat(100);
  let left = 300;
  let answers = 0;
  const send = () => (left-- > 0 ? socket.write(batch) : socket.end());
  socket.on('data', (text) => {
    answers += text.split('HTTP/1.1 200 OK').length - 1;
    if (answers >= 100) { answers -= 100; send(); }
  });
  socket.on('close', () => server.close());
  send();`;

it('the makers of requests and responses are compiled, and stay so', async () => {
  const args = ['--trace-opt', '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1e8, timeout: 60_000 });
  const lines = stdout.split('\n').filter((line) => /JSFunction (?:Request|Response|handle)\b/.test(line));
  const given = (what: string) => lines.filter((line) => line.startsWith(`[${what} optimizing`));
  expect(given('completed').length).toBeGreaterThan(0);
  // The types that it was compiled for may change while that goes on, a few times.
  expect(given('aborted').length).toBeLessThan(5);
});
