/** What a watchdog says of a main thread that runs, waits, or never comes back. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Examination, Findings, WatchdogMessage, WatchdogOrder } from '../../../src/ipc/messages.ts';
import type { CpuProfile } from '../../../src/ipc/profiles.ts';
import { onTestFinished } from '../../current.ts';

class Session {
  private readonly pipe: Duplex;
  private onHung: (silentMs: number) => void = () => {};
  /** For how long the main thread was silent when it was called hung. */
  readonly hung = new Promise<number>((resolve) => {
    this.onHung = resolve;
  });
  private readonly waiting = new Map<number, (findings: Findings) => void>();

  private constructor(pipe: Duplex) {
    this.pipe = pipe;
    createInterface({ input: pipe }).on('line', (line) => {
      const message = JSON.parse(line) as WatchdogMessage;
      if (message.type === 'hung') this.onHung(message.silentMs);
      if (message.type === 'findings') this.waiting.get(message.id)?.(message);
    });
  }

  static async open(what: string, timeoutMs = 3_600_000): Promise<Session> {
    const file = fileURLToPath(new URL('session.mjs', import.meta.url));
    const child = spawn(process.execPath, [file, what, String(timeoutMs)], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    onTestFinished(async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    });
    await once(child.stdout!, 'data');
    return new Session(child.stdio[3] as Duplex);
  }

  tell(order: WatchdogOrder): void {
    this.pipe.write(`${JSON.stringify(order)}\n`);
  }

  ask(order: Examination): Promise<Findings> {
    return new Promise((resolve) => {
      this.waiting.set(order.id, resolve);
      this.pipe.write(`${JSON.stringify(order)}\n`);
    });
  }
}

/** The function that most samples were taken in. */
function widest({ nodes, samples = [] }: CpuProfile): string {
  const counts = new Map<string, number>();
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  for (const id of samples) counts.set(names.get(id)!, (counts.get(names.get(id)!) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]![0];
}

describe('a main thread in an endless loop', () => {
  it('is seen where it is, with its requests, and its hot function', async () => {
    const session = await Session.open('loop');
    // It is in the loop once its stack says so.
    let stack = '';
    for (let id = 1; !/^at (hot|cold)/.test(stack); id++) {
      const findings = await session.ask({ type: 'stacks', id });
      if (!('stacks' in findings)) throw new Error('no stacks');
      stack = findings.stacks[0]!.stack;
      if (/^at (hot|cold)/.test(stack)) expect(findings.requests).toEqual([{ method: 'GET', path: '/hot', ms: 1 }]);
      expect(findings.stacks[0]!.thread).toBe('main');
    }
    expect(stack).toMatch(/at hot \(.*session\.mjs:\d+:\d+\)/);

    const listed = await session.ask({ type: 'requests', id: 100 });
    expect(listed).toMatchObject({
      running: { requests: [{ method: 'GET', path: '/hot', query: 'n=1', client: '127.0.0.1:5' }], more: 2 },
    });

    const profiled = session.ask({ type: 'profile', id: 101, ms: 1500 });
    const refused = await session.ask({ type: 'profile', id: 102, ms: 1500 });
    expect(refused).toMatchObject({ error: expect.stringContaining('another profile of this worker is under way') });
    const findings = await profiled;
    if (!('profiles' in findings)) throw new Error(JSON.stringify(findings));
    expect(findings.profiles.map(({ thread }) => thread)).toEqual(['main']);
    expect(widest(findings.profiles[0]!.profile)).toMatch(/^(hot|cold)$/);
  });
});

it('a profile names the function that was inlined before it began, and not its caller', async () => {
  const session = await Session.open('inlined');
  const findings = await session.ask({ type: 'profile', id: 1, ms: 1000 });
  if (!('profiles' in findings)) throw new Error(JSON.stringify(findings));
  const { nodes, ...profile } = findings.profiles[0]!.profile;
  const busy = nodes.filter(({ callFrame }) => ['inlined', 'caller'].includes(callFrame.functionName));
  const ids = new Set(busy.map(({ id }) => id));
  expect(widest({ ...profile, nodes, samples: profile.samples!.filter((id) => ids.has(id)) })).toBe('inlined');
});

describe('a main thread that is silent for a known reason', () => {
  it('is not called hung until the time for that is over', async () => {
    const session = await Session.open('loop', 500);
    session.tell({ type: 'excuse', ms: 1500 });
    expect(await session.hung).toBeGreaterThan(1000);
  });
});

describe('a main thread that comes and goes', () => {
  it('is shown as waiting while it runs nothing', async () => {
    const session = await Session.open('idle');
    // At first it still writes that it is ready; and on a busy machine it may not get to answer.
    let findings: unknown;
    for (let id = 1; !JSON.stringify(findings)?.includes('waiting'); id++)
      findings = await session.ask({ type: 'stacks', id });
    expect(findings).toMatchObject({ stacks: [{ thread: 'main', stack: 'waiting: it runs no JavaScript' }] });
  });

  it('shows what it allocates', async () => {
    const session = await Session.open('allocate');
    const findings = await session.ask({ type: 'heap', id: 1, ms: 300 });
    if (!('heap' in findings)) throw new Error(JSON.stringify(findings));
    expect(JSON.stringify(findings.heap)).toContain('"functionName":"allocate"');
  });
});
