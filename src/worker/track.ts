/** Enters each request, of any interface, in the table of running requests; and tells the master of the worker's first one. */

import type { Handler } from '../app/handler.ts';
import type { End } from '../http/ends.ts';
import { sendToMaster } from '../ipc/channel.ts';
import type { RequestTable } from './watchdog/requests.ts';

export class Tracker {
  private readonly table: RequestTable;
  private hasServed = false;

  constructor(table: RequestTable) {
    this.table = table;
  }

  /** The innermost handler around an app: the others have registered for the request's end by then. */
  readonly http = (handle: Handler): Handler => {
    const { table } = this;
    return (exchange) => {
      if (!this.hasServed) this.begin();
      const { head, startedAt, onOver } = exchange;
      const leave = table.enter(head.method, head.path, startedAt, exchange.transport.descriptor);
      exchange.onOver =
        onOver === undefined
          ? leave
          : (answered) => {
              leave();
              onOver(answered);
            };
      return handle(exchange);
    };
  };

  /** A raw connection counts as one request. */
  readonly connection = ({ address, port }: End): (() => void) => {
    if (!this.hasServed) this.begin();
    return this.table.enter('TCP', `${address}:${port}`, performance.now());
  };

  /** Before the app, which may end this process during its first request. */
  private begin(): void {
    this.hasServed = true;
    void sendToMaster({ type: 'serving' });
  }
}
