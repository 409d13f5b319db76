/**
 * Whether a client that has open streams is still there. Before Node 24, a session that ended because of its client's
 * mistakes reads no further, and does not notice the end of the connection. Nor does TCP tell when a client's machine is
 * gone.
 */

/** How long a client may be silent before it gets a PING, and before it counts as gone. Shorter if the worker is stopping. */
const silenceMs = { usual: 15_000, draining: 2000 } as const;

export class Pulse {
  private heard = -1;
  private heardAt = 0;
  private askedAt = 0;

  /**
   * @param heard a number that changes with everything that the client sends
   * @param ask sends a PING, which a client answers by itself
   * @returns whether the client counts as gone
   */
  check(now: number, heard: number, isDraining: boolean, ask: () => void): boolean {
    if (heard !== this.heard) {
      this.heard = heard;
      this.heardAt = now;
      this.askedAt = 0;
      return false;
    }
    const limitMs = isDraining ? silenceMs.draining : silenceMs.usual;
    if (this.askedAt !== 0) return now - this.askedAt >= limitMs;
    if (now - this.heardAt >= limitMs) {
      this.askedAt = now;
      ask();
    }
    return false;
  }
}
