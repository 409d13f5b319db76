/** Which large pieces of answers are on their way to clients, out of memory that all threads have in common (`inside/shares.ts`). */

import type { Transport } from '../../http/exchange.ts';
import type { Share, ToThread } from './messages.ts';
import type { Recipient } from './relay.ts';

export class SharesInUse {
  private readonly threads: Iterable<Recipient>;
  private readonly used = new Map<number, { readonly share: Share; users: number }>();

  constructor(threads: Iterable<Recipient>) {
    this.threads = threads;
  }

  /** A thread that has just begun learns what there is. */
  introduce(thread: Recipient): void {
    for (const { share } of this.used.values()) thread.send(['share', share]);
  }

  /** It was written to a client by `transport`, and is in use until that client has it, or has gone. */
  use(share: Share, transport: Pick<Transport, 'whenTaken'> | undefined): void {
    const entry = this.used.get(share.number) ?? { share, users: 0 };
    if (entry.users++ === 0) {
      this.used.set(share.number, entry);
      // To the one it comes from too, which may have been told meanwhile that it is over.
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
