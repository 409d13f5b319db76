/** Makes workers fail on purpose (`--chaos`), so that teams see how their clients and balancers react. */

import { milliseconds } from '../config/durations.ts';
import { type Mishap, spans } from '../config/values/chaos.ts';
import type { MasterMessage } from '../ipc/messages.ts';
import type { Logger } from '../logger.ts';
import { type Child, type Pool, readyOf } from './pool.ts';

export interface ChaosParts {
  readonly pool: Pool;
  readonly log: () => Logger;
  readonly send: (child: Child, message: MasterMessage) => void;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export class Chaos {
  private readonly parts: Required<ChaosParts>;
  private mishaps: readonly Mishap[] = [];
  private timers: NodeJS.Timeout[] = [];

  constructor(parts: ChaosParts) {
    this.parts = { random: Math.random, ...parts };
  }

  /** Called at every turn of the loop. @param mishaps the configured ones; the same array while nothing changes */
  follow(mishaps: readonly Mishap[]): void {
    if (mishaps === this.mishaps) return;
    this.close();
    this.mishaps = mishaps;
    for (const [index, mishap] of mishaps.entries()) this.plan(index, mishap);
    if (mishaps.length > 0) this.parts.log().say('warn', {}, 'chaos: workers are made to fail on purpose');
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.mishaps = [];
  }

  /** As in a Poisson process: the time until the next mishap does not depend on the last one. */
  private plan(index: number, mishap: Mishap): void {
    const { random } = this.parts;
    const delayMs = (-Math.log(1 - random()) * spans[mishap.per]) / mishap.times;
    const act = () => {
      this.act(mishap);
      this.plan(index, mishap);
    };
    this.timers[index] = setTimeout(act, Math.min(delayMs, 2 ** 31 - 1)).unref();
  }

  private act({ kind, seconds }: Mishap): void {
    const { pool, log, send, random } = this.parts;
    const ready = readyOf(pool);
    if (ready.length === 0 || pool.stopping !== undefined) return;
    const ms = milliseconds(seconds);
    const victim = ready[Math.floor(random() * ready.length)]!;
    const { worker, pid } = victim;
    if (kind === 'slow-accept') {
      log().say('warn', { seconds }, 'chaos: no worker accepts connections');
      for (const child of ready) send(child, { type: 'chaos', kind, ms });
    } else if (kind === 'stall') {
      log().say('warn', { worker, workerPid: pid, seconds }, 'chaos: a worker stands still');
      send(victim, { type: 'chaos', kind, ms });
    } else {
      log().say('warn', { worker, workerPid: pid }, 'chaos: a worker is killed');
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
  }
}
