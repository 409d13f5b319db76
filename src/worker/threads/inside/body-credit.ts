/** Back-pressure for a request's body: the main thread sends at most one window more than the app has taken. */

import { creditBytes } from '../messages.ts';
import type { Outlet } from './outlet.ts';

export class BodyCredit {
  private readonly id: number;
  private readonly outlet: Outlet;
  private hasAsked = false;
  private isPaused = false;
  /** Bytes that have come, for which no credit was granted yet. */
  private uncredited = 0;

  constructor(id: number, outlet: Outlet) {
    this.id = id;
    this.outlet = outlet;
  }

  pause(): void {
    this.isPaused = true;
  }

  /** The main thread sends small bodies without being asked. */
  resume(): void {
    this.isPaused = false;
    if (!this.hasAsked) this.outlet.post(['read', this.id]);
    this.hasAsked = true;
    this.grant();
  }

  note(bytes: number): void {
    this.uncredited += bytes;
  }

  /** Grants credit for what the app has taken, in steps. */
  grant(): void {
    if (this.isPaused || this.uncredited < creditBytes) return;
    this.outlet.post(['taken', this.id, this.uncredited]);
    this.uncredited = 0;
  }
}
