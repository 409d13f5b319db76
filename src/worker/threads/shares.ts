/** Tracks which large pieces of answers clients are receiving from memory that all threads share (`inside/shares.ts`). */

import type { Transport } from '../../http/exchange.ts';
import type { Share, ToThread } from './messages.ts';
import type { Recipient } from './relay.ts';

export class SharesInUse {
  private readonly threads: Iterable<Recipient>;
  private readonly used = new Map<number, { readonly share: Share; users: number }>();

  constructor(threads: Iterable<Recipient>) {
    this.threads = threads;
  }

  /** Tells a new thread of the shares that exist. */
  introduce(thread: Recipient): void {
    for (const { share } of this.used.values()) thread.send(['share', share]);
  }

  /** `transport` has written the share to a client. It is in use until that client has it, or has left. */
  use(share: Share, transport: Pick<Transport, 'whenTaken'> | undefined): void {
    const entry = this.used.get(share.number) ?? { share, users: 0 };
    if (entry.users++ === 0) {
      this.used.set(share.number, entry);
      // Also to the thread that made it: that may have been told meanwhile that the share is no longer in use.
      this.tell(['share', share]);
    }
    const release = () => {
      if (--entry.users > 0) return;
      this.used.delete(share.number);
      this.tell(['unshare', share.number]);
    };
    if (transport === undefined) release();
    else transport.whenTaken(release);
  }

  private tell(message: ToThread): void {
    for (const thread of this.threads) thread.send(message);
  }
}
