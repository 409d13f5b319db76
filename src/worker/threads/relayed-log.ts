/** What threads say that is not about a request: lines for the log, and files that they have loaded. */

import { sendToMaster } from '../../ipc/channel.ts';
import type { Logger } from '../../logger.ts';
import { logConnectionFailure, logLateFailure, type OnError } from '../classes/failures.ts';
import { type FromThread, revive } from './messages.ts';

type Said = Extract<
  FromThread,
  readonly ['loaded' | 'line' | 'late' | 'warning' | 'waits' | 'say' | 'connectionFailed', ...unknown[]]
>;

export class RelayedLog {
  private readonly log: Logger;
  private readonly onError: OnError | undefined;
  private readonly warnings = new Set<string>();

  constructor(log: Logger, onError: OnError | undefined) {
    this.log = log;
    this.onError = onError;
  }

  /** @returns whether it was such a message */
  take<M extends FromThread>(message: M): message is Extract<M, Said> {
    if (message[0] === 'loaded') void sendToMaster({ type: 'loaded', files: message[1] });
    else if (message[0] === 'line') this.log.say('error', { source: 'wsgi.errors' }, message[1]);
    else if (message[0] === 'late') logLateFailure(this.log, message[1], message[1].error);
    else if (message[0] === 'connectionFailed')
      logConnectionFailure(this.log, message[1], revive(message[2]), this.onError);
    else if (message[0] === 'warning') this.warn(message[1]);
    else if (message[0] === 'waits') void sendToMaster({ type: 'waits', why: message[1] });
    else if (message[0] === 'say') this.log.say(message[1], {}, message[2]);
    else return false;
    return true;
  }

  /** Each thread runs the same app, and sends the same warning. */
  private warn(warning: string): void {
    if (this.warnings.has(warning)) return;
    this.warnings.add(warning);
    this.log.say('warn', {}, warning);
  }
}
