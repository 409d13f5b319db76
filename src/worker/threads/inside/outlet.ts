/**
 * Everything that leaves a thread: small answers through the ring, the rest as messages, always in the order in which it came.
 */

import type { MessagePort } from 'node:worker_threads';
import type { AnswerRing, Watch } from '../answer-ring.ts';
import { AnswerFlag, type AnswerPart, type FromThread, type FromTunnel } from '../messages.ts';

export class Outlet {
  private readonly port: MessagePort;
  private readonly ring: AnswerRing;
  private readonly watch: Watch;
  /** The last request for which a message was sent: what follows must not overtake it through the ring. */
  private lastPosted = -1;

  constructor(port: MessagePort, ring: AnswerRing, watch: Watch) {
    this.port = port;
    this.ring = ring;
    this.watch = watch;
  }

  /** Sends at once: what the app does next may block the thread for a minute. */
  post(message: FromThread): void {
    if (typeof message[1] === 'number') this.lastPosted = message[1];
    const bytes = message[0] === 'answer' && message[3].share === undefined ? message[3].bytes : undefined;
    this.port.postMessage(message, bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]);
  }

  /** About a connection that the app has taken over. It has no order with answers. */
  postOfTunnel(message: FromTunnel): void {
    const bytes = message[0] === 'tunnelBytes' ? [message[2].buffer as ArrayBuffer] : [];
    this.port.postMessage(message, bytes);
  }

  answer(id: number, flags: number, answer: AnswerPart): void {
    const { bytes } = answer;
    const isLast = (flags & (AnswerFlag.end | AnswerFlag.done)) !== 0;
    if (isLast && bytes === undefined && this.lastPosted !== id && this.ring.write(id, flags, answer)) {
      if (this.watch.mustWake()) this.port.postMessage(undefined);
    } else this.post(['answer', id, flags, answer]);
  }
}
