/** The back-pressure of a request's body: the main thread sends no more of it than the app has taken, and a window beyond. */

import { creditBytes } from '../messages.ts';
import type { Outlet } from './outlet.ts';

export class BodyCredit {
  private readonly id: number;
  private readonly outlet: Outlet;
  private hasAsked = false;
  private isPaused = false;
  /** Bytes that came, and were not yet said to be taken. */
  private uncredited = 0;

  constructor(id: number, outlet: Outlet) {
    this.id = id;
    this.outlet = outlet;
  }

  pause(): void {
    this.isPaused = true;
  }

  /** Small bodies come without being asked for. */
  resume(): void {
    this.isPaused = false;
    if (!this.hasAsked) this.outlet.post(['read', this.id]);
    this.hasAsked = true;
    this.grant();
  }

  note(bytes: number): void {
    this.uncredited += bytes;
  }

  /** Lets as much more come as the app has taken, in steps. */
  grant(): void {
    if (this.isPaused || this.uncredited < creditBytes) return;
    this.outlet.post(['taken', this.id, this.uncredited]);
    this.uncredited = 0;
  }
}
