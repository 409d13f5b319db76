/** Enters every request in the table of those that run, whatever the interface; and tells the master of the first. */

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

  /** Of the handlers around an app, the innermost: those around it have said by then whom they want to hear of. */
  readonly http = (handle: Handler): Handler => {
    const { table } = this;
    return (exchange) => {
      if (!this.hasServed) this.begin();
      const { head, startedAt, onOver } = exchange;
      const leave = table.enter(head.method, head.path, startedAt);
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

  /** A raw connection is one request from its beginning to its end. */
  readonly connection = ({ address, port }: End): (() => void) => {
    if (!this.hasServed) this.begin();
    return this.table.enter('TCP', `${address}:${port}`, performance.now());
  };

  /** Ahead of the app, which may end this process within its first request. */
  private begin(): void {
    this.hasServed = true;
    void sendToMaster({ type: 'serving' });
  }
}
