/** Which request an escaped error is blamed on. */

import { executionAsyncId } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Suspect } from '../../../src/http/suspect.ts';
import { failSuspect } from '../../../src/worker/ending/suspects.ts';

class Request implements Suspect {
  isOpen = true;
  isStarted = false;
  failedWith: unknown = undefined;
  readonly asyncId: number | undefined;

  constructor(asyncId?: number) {
    this.asyncId = asyncId;
  }

  fail(error: unknown): void {
    this.isOpen = false;
    this.failedWith = error;
  }
}

const error = new Error('escaped');
const doubtMs = 20;

describe('an error that escaped the app', () => {
  it('fails the only request of a class that runs one at a time', () => {
    const request = new Request();
    failSuspect({ all: [request], runsOne: true }, error);
    expect(request.failedWith).toBe(error);
  });

  it('fails the request whose code was started by what runs now, and no other', async () => {
    const [one, other] = [new Request(executionAsyncId()), new Request(-1)];
    failSuspect({ all: [other, one], runsOne: false }, error, doubtMs);
    expect(one.failedWith).toBe(error);
    await sleep(3 * doubtMs);
    expect(other.failedWith).toBeUndefined();
  });

  it('fails no request while several may be meant, and then the one that is left unanswered', async () => {
    const [one, other] = [new Request(), new Request(-1)];
    failSuspect({ all: [one, other], runsOne: false }, error, doubtMs);
    await sleep(5 * doubtMs);
    expect([one.failedWith, other.failedWith]).toEqual([undefined, undefined]);
    other.isOpen = false;
    await sleep(5 * doubtMs);
    expect([one.failedWith, other.failedWith]).toEqual([error, undefined]);
  });

  it('leaves the last request alone if it is answered meanwhile, or begins to be', async () => {
    const [answered, begun] = [new Request(), new Request()];
    failSuspect({ all: [answered], runsOne: false }, error, doubtMs);
    failSuspect({ all: [begun], runsOne: false }, error, doubtMs);
    answered.isOpen = false;
    begun.isStarted = true;
    await sleep(5 * doubtMs);
    expect([answered.failedWith, begun.failedWith]).toEqual([undefined, undefined]);
  });
});
