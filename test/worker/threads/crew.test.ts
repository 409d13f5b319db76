/** Threads that cannot be started: the system has no room for another, or no descriptor. */

import { describe, expect, it } from 'vitest';
import { ThreadCrew } from '../../../src/worker/threads/crew.ts';
import type { ThreadHandle } from '../../../src/worker/threads/handle.ts';

/** Node throws what the system says when it is asked for a thread; here, when it copies the thread's data. */
function crewWithout(reason: string) {
  const lines: unknown[] = [];
  let lost = 0;
  const code = {
    file: 'thread.cjs',
    get text(): string {
      throw Object.assign(new Error(reason), { code: 'ERR_WORKER_INIT_FAILED' });
    },
  };
  const crew = new ThreadCrew({
    code,
    source: {} as never,
    settings: { threads: 2, nodeOptions: [] } as never,
    surroundings: {} as never,
    log: { say: (...line: unknown[]) => lines.push(line) } as never,
    watch: { watcher: () => {} } as never,
    onMessage: () => {},
    onReady: () => {},
    onEnd: () => {},
    onLost: () => lost++,
  });
  return { crew, lines, lost: () => lost };
}

class ServingThread {
  readonly isServing = true;
  isReplaced = false;
  kills = 0;

  async kill(): Promise<void> {
    this.kills++;
  }
}

describe('a thread that cannot be started', () => {
  it('fails the start, and the error says what is to be done', async () => {
    const { crew } = crewWithout('EAGAIN');
    await expect(crew.start()).rejects.toThrow(/^a thread cannot be started \(EAGAIN\): .*ulimit -u/);
  });

  it('in place of another leaves the others at work, and the one that hangs is killed all the same', async () => {
    const { crew, lines, lost } = crewWithout('EAGAIN');
    const [hung, other] = [new ServingThread(), new ServingThread()];
    for (const thread of [hung, other]) crew.threads.add(thread as unknown as ThreadHandle);
    await crew.replace(hung as unknown as ThreadHandle);
    expect([hung.kills, other.kills, lost()]).toEqual([1, 0, 0]);
    expect(lines).toEqual([
      [
        'error',
        expect.objectContaining({ error: expect.stringContaining('EAGAIN') }),
        'a thread could not be replaced',
      ],
    ]);
  });
});
