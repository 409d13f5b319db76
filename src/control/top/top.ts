/** `tsgun top`: looks at the instance each second, draws what it sees, and does as the keys say. */

import { ConfigError } from '../../errors.ts';
import type { WorkerRequests } from '../../master/children/running.ts';
import type { CountersSummary } from '../../master/metrics/summary.ts';
import type { ControlClient } from '../client.ts';
import { CommandExit } from '../failures.ts';
import { find } from '../find.ts';
import { renderStacks, type WorkerStacks } from '../requests.ts';
import type { FullStatus } from '../status.ts';
import type { Target } from '../target.ts';
import { Keys, keysIn } from './keys.ts';
import { Sampler } from './samples.ts';
import { drawVariable, open, paint, restore, supervise } from './terminal.ts';
import { draw, type View } from './view.ts';

const refreshMs = 1000;
/** A reload may take as long as the app boots. */
const actMs = 600_000;

/** @throws ConfigError where there is no terminal */
export async function top(target: Target, words: readonly string[]): Promise<CommandExit> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new ConfigError('tsgun top: expected a terminal; tsgun status prints the same once');
  // Ahead of the screen: it is of no use without an instance.
  const client = await find(target);
  if (process.env[drawVariable] === undefined) {
    client.close();
    return (await supervise(words)) as CommandExit;
  }
  return new Top(target, client).run();
}

class Top {
  private readonly target: Target;
  /** Looks; an action has a connection of its own, as it may take long. */
  private client: ControlClient | undefined;
  private readonly sampler = new Sampler();
  private readonly keys = new Keys();
  private view: View = {
    sample: undefined,
    sorting: 'worker',
    selected: undefined,
    message: '',
    text: undefined,
    clock: '',
  };
  private isOver = false;
  private wake: () => void = () => {};

  constructor(target: Target, client: ControlClient) {
    this.target = target;
    this.client = client;
  }

  async run(): Promise<CommandExit> {
    open();
    const end = () => {
      this.isOver = true;
      this.wake();
    };
    process.once('SIGTERM', end);
    process.stdin.on('data', (bytes) => {
      for (const key of keysIn(String(bytes))) if (!this.isOver) this.press(key, end);
    });
    process.stdin.once('end', end);
    process.stdout.on('resize', () => this.redraw());
    process.on('SIGCONT', () => this.redraw());
    try {
      while (!this.isOver) {
        await this.look();
        this.redraw();
        await this.pause();
      }
    } finally {
      restore();
      this.client?.close();
    }
    return CommandExit.done;
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, refreshMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** An instance that has gone may come back, as at an upgrade. */
  private async look(): Promise<void> {
    try {
      this.client ??= await find(this.target);
      const status = await this.client.ask<FullStatus>({ command: 'status' });
      const running = await this.client.ask<WorkerRequests[]>({ command: 'requests' });
      const counters = await this.client.ask<CountersSummary>({ command: 'counters' });
      const sample = this.sampler.take({ at: performance.now(), status, running, counters });
      const isThere = status.workers.some(({ pid }) => pid === this.view.selected);
      this.view = { ...this.view, sample, ...(isThere ? {} : { selected: undefined }) };
    } catch (error) {
      this.client?.close();
      this.client = undefined;
      const [message = ''] = (error as Error).message.split('\n');
      this.view = { ...this.view, sample: undefined, text: undefined, message: `${message}; trying again` };
    }
  }

  private press(key: string, end: () => void): void {
    const reaction = this.keys.press(key, this.view);
    if (reaction.type === 'quit') return end();
    this.view = reaction.view;
    if (reaction.type === 'ask')
      void this.act(async (client) => {
        const outcome = await client.ask<{ isGood?: boolean; error?: string }>(reaction.order, actMs);
        return outcome.isGood === false ? `it has failed: ${outcome.error?.split('\n')[0]}` : reaction.done;
      });
    else if (reaction.type === 'stacks') void this.showStacks(reaction.pid);
    this.redraw();
  }

  private showStacks(pid: number | undefined): Promise<void> {
    return this.act(async (client) => {
      const workers = await client.ask<WorkerStacks[]>({ command: 'stacks', ...(pid === undefined ? {} : { pid }) });
      this.view = { ...this.view, text: { lines: renderStacks(workers).split('\n'), from: 0 } };
      return '';
    });
  }

  /** @param ask gives what to say then */
  private async act(ask: (client: ControlClient) => Promise<string>): Promise<void> {
    let message: string;
    let client: ControlClient | undefined;
    try {
      client = await find(this.target);
      message = await ask(client);
    } catch (error) {
      message = (error as Error).message.split('\n')[0]!;
    } finally {
      client?.close();
    }
    this.view = { ...this.view, message };
    this.redraw();
  }

  private redraw(): void {
    if (this.isOver) return;
    const { columns = 80, rows = 24 } = process.stdout;
    const view = { ...this.view, clock: new Date().toTimeString().slice(0, 8) };
    process.stdout.write(paint(draw(view, columns, rows)));
  }
}
