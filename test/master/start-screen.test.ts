import { expect, it } from 'vitest';
import { resolveSettings } from '../../src/config/load.ts';
import type { Generation } from '../../src/master/generations/generation.ts';
import { renderBanner } from '../../src/master/start-screen.ts';

function banner(listeners: object[], values: object, appInterface = 'node'): string {
  const { settings } = resolveSettings([{ name: 'x', values }]);
  const generation = { configuration: { app: 'app.ts', settings }, listeners } as unknown as Generation;
  const scheme = appInterface === 'tcp' ? 'tcp' : 'http';
  return renderBanner(generation, { interface: appInterface, scheme }, false)
    .replace(/^tsgun \S+/, 'tsgun X')
    .replace(String(process.pid), 'PID');
}
const tcp = (host: string, address: string) => ({ address, endpoint: { host, port: 8000 } });

it.each([
  [[tcp('127.0.0.1', '127.0.0.1:8000')], {}, 'node', '  http://127.0.0.1:8000\n  1 async worker,'],
  [
    [tcp('0.0.0.0', '0.0.0.0:8000')],
    {},
    'node',
    '  http://localhost:8000 (0.0.0.0:8000, all addresses of this machine)\n',
  ],
  [[tcp('::', '[::]:8000')], {}, 'node', '  http://localhost:8000 ([::]:8000, all addresses of this machine)\n'],
  [[tcp('::1', '[::1]:8000'), { address: 'unix:/x' }], {}, 'node', '  http://[::1]:8000\n  unix:/x\n'],
  [[tcp('127.0.0.1', '127.0.0.1:8000')], {}, 'tcp', '  tcp://127.0.0.1:8000\n'],
  [[], { workers: 2, workerClass: 'threaded', threads: 8 }, 'node', '  2 threaded workers with 8 threads each,'],
  [[], { workers: 1, workerClass: 'threaded' }, 'node', '  1 threaded worker with 4 threads,'],
])('the banner of %j %j', (listeners, values, appInterface, part) => {
  const text = banner(listeners, values, appInterface);
  expect(text).toContain(`tsgun X serves app.ts (${appInterface})\n`);
  expect(text).toContain(part);
  expect(text).toMatch(/ pid PID, Ctrl-C stops it\n$/);
});
