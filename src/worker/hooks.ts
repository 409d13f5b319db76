/** Calls the user's hooks in a worker. Functions cannot be sent, so each worker reads them for itself. */

import type { Handler } from '../app/handler.ts';
import { offeredHooks } from '../app/script.ts';
import { schemeAt, schemeExpected } from '../config/values/tls.ts';
import { BootError, report } from '../errors.ts';
import {
  callHook,
  type HookName,
  type HookRequest,
  type HookServer,
  type Hooks,
  type HookWorker,
  hookLog,
  serverAddress,
} from '../hooks.ts';
import type { RequestHead } from '../http/head.ts';
import type { Observers } from '../http/observers.ts';
import type { WorkerOrder } from '../ipc/order.ts';
import type { OwnLogger } from '../logger.ts';
import type { OnError } from './classes/failures.ts';
import { HttpRequest } from './hook-request.ts';
import type { WorkerName } from './name.ts';

export class WorkerHooks {
  private hooks: Hooks = {};
  /** `postFork` was called, and `workerExit` was not yet. */
  private hasForked = false;
  private readonly log: OwnLogger;
  private readonly server: HookServer;
  private readonly worker: HookWorker;

  constructor({ app, settings, sockets, generation }: WorkerOrder, name: WorkerName, log: OwnLogger) {
    this.log = log;
    const lines = hookLog(log);
    const scheme = schemeExpected(settings.interface, app);
    const addresses = sockets.map(({ address }, index) => serverAddress(address, schemeAt(settings, index, scheme)));
    const { workers } = settings;
    this.server = { pid: process.ppid, app, settings, addresses, workers, generation, log: lines };
    this.worker = {
      pid: process.pid,
      get id() {
        return name.worker;
      },
      generation,
      log: lines,
    };
  }

  /** @throws ConfigError, or BootError if `postFork` fails */
  async readFile(path: string): Promise<void> {
    // Imported on demand: most workers do not read configurations.
    const { readHooks } = await import('../config/sources/config-file.ts');
    this.hooks = await readHooks(path);
    await this.forked();
  }

  /** Takes the hooks that the user's script gave to `run`. @throws as `readFile` does */
  async takeOffered(): Promise<void> {
    this.hooks = offeredHooks();
    await this.forked();
  }

  private async forked(): Promise<void> {
    this.hasForked = true;
    if (this.hooks.logger !== undefined) this.log.passTo(this.hooks.logger);
    await this.mustSucceed('postFork', () => this.hooks.postFork?.(this.server, this.worker));
  }

  /** @throws BootError if the hook fails */
  initialized(): Promise<void> {
    return this.mustSucceed('postWorkerInit', () => this.hooks.postWorkerInit?.(this.worker));
  }

  interrupted(): void {
    void this.call('workerInt', () => this.hooks.workerInt?.(this.worker));
  }

  async exiting(): Promise<void> {
    if (!this.hasForked) return;
    this.hasForked = false;
    await this.call('workerExit', () => this.hooks.workerExit?.(this.server, this.worker));
  }

  /** A function that calls the hook, if there is one. */
  get onError(): OnError | undefined {
    const { onError } = this.hooks;
    if (onError === undefined) return undefined;
    return (error, request) => void this.call('onError', () => onError(error, request()));
  }

  /** Makes a handler that calls `preRequest` and `postRequest`, if there are any. */
  readonly observe = (handle: Handler, observers: Observers): Handler => {
    const { preRequest, postRequest } = this.hooks;
    if (preRequest === undefined && postRequest === undefined) return handle;
    const requests = new WeakMap<RequestHead, HookRequest>();
    if (postRequest !== undefined)
      observers.onOver(({ head, status, outcome, durationMs }) => {
        const request = requests.get(head);
        // Its head was refused, or the hooks have seen its end already.
        if (request === undefined) return;
        requests.delete(head);
        const isComplete = outcome === 'answered' || outcome === 'refused' || outcome === 'overdue';
        const response = { status, isComplete, ms: Math.round(durationMs) };
        void this.call('postRequest', () => postRequest(this.worker, request, response));
      });
    return (exchange) => {
      const request = new HttpRequest(exchange);
      requests.set(exchange.head, request);
      if (preRequest !== undefined) void this.call('preRequest', () => preRequest(this.worker, request));
      return handle(exchange);
    };
  };

  private call(name: HookName, call: () => unknown): Promise<void> {
    return callHook(name, this.log, call);
  }

  private async mustSucceed(name: HookName, call: () => unknown): Promise<void> {
    try {
      await call();
    } catch (error) {
      throw new BootError(`${name}: the hook failed: ${report(error).message}`, { cause: error });
    }
  }
}
