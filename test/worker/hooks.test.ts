import { expect, it } from 'vitest';
import type { HookServer } from '../../src/hooks.ts';
import type { WorkerOrder } from '../../src/ipc/order.ts';
import { WorkerHooks } from '../../src/worker/hooks.ts';

it.each([
  ['app.mjs', 'http://127.0.0.1:80'],
  ['app.mjs:tcp', 'tcp://127.0.0.1:80'],
])("hooks in a worker of %s get URLs of the interface that the export's name stands for", (app, url) => {
  const settings = { interface: 'auto', bind: ['127.0.0.1:80'], certfile: [], workers: 1 };
  const order = { worker: 1, generation: 1, app, settings, sockets: [{ address: '127.0.0.1:80' }] };
  const log = { event() {}, say() {}, reopen() {}, passTo() {} };
  const hooks = new WorkerHooks(order as unknown as WorkerOrder, { worker: 1, generation: 1 }, log as never);
  expect((Reflect.get(hooks, 'server') as HookServer).addresses).toMatchObject([{ url }]);
});
