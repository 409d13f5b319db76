/**
 * A worker that hangs at any moment, and a watchdog that answers for it: every step of the two in random order, with
 * descriptors that are reused. A step is what one of them does without the other seeing a half of it.
 */

import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type AnswerClaim, AnswerClaims } from '../../../src/http/wire/answer-claims.ts';
import { seededRandom } from '../cuts.ts';

/** What came to one client, on one connection. */
interface Client {
  /** The worker's bytes of an answer that is not complete. */
  isBegun: boolean;
  hasWatchdogAnswered: boolean;
  /** Connections that were closed, and whose descriptor may be another's now. */
  isClosed: boolean;
}

const worlds = 1_000_000;
const stepsEach = 10;
const descriptors = 3;

describe('a million workers that hang while they answer, and their watchdogs', () => {
  it('put no byte of the watchdog into an answer that has begun, nor one of the worker behind it', () => {
    const random = seededRandom(1);
    const claims = new AnswerClaims();
    let answered = 0;
    for (let world = 0; world < worlds; world++) answered += play(claims, random);
    expect(answered).toBeGreaterThan(worlds / 10);
  });
});

function play(claims: AnswerClaims, random: () => number): number {
  const pick = (count: number) => Math.floor(random() * count);
  const connections: ({ client: Client; claim: AnswerClaim } | undefined)[] = Array(descriptors).fill(undefined);
  /** The watchdog is amid its work on this one. */
  let held: { fd: number; client: Client } | undefined;
  let answered = 0;
  const checked = (isRight: boolean, what: string) => {
    if (!isRight) throw new Error(what);
  };
  const worker = () => {
    const fd = pick(descriptors);
    const connection = connections[fd];
    if (connection === undefined) {
      const client = { isBegun: false, hasWatchdogAnswered: false, isClosed: false };
      connections[fd] = { client, claim: claims.open(fd)! };
      return;
    }
    const { client, claim } = connection;
    const step = pick(5);
    if (step === 0) claim.noteRequest();
    else if (step === 1 && claim.mayWrite()) {
      checked(!client.hasWatchdogAnswered, 'the worker wrote behind the watchdog');
      client.isBegun = true;
    } else if (step === 2 && client.isBegun) {
      client.isBegun = false;
      claim.noteIdle(true);
    } else if (step === 3) claim.noteIdle(false);
    // It would wait until the watchdog has let go.
    else if (step === 4 && held?.fd !== fd) {
      claim.giveBack();
      client.isClosed = true;
      connections[fd] = undefined;
    }
  };
  const watchdog = () => {
    if (held !== undefined) {
      const { fd, client } = held;
      held = undefined;
      checked(!client.isClosed, 'the watchdog wrote to a descriptor that was closed');
      checked(!client.isBegun, 'the watchdog wrote into an answer');
      client.hasWatchdogAnswered = true;
      answered++;
      claims.release(fd);
      return;
    }
    const fd = pick(descriptors);
    if (!claims.claim(fd)) return;
    const connection = connections[fd];
    checked(connection !== undefined, 'the watchdog claimed a descriptor that is nobody’s');
    held = { fd, client: connection!.client };
  };
  for (let step = 0; step < stepsEach; step++) (random() < 0.75 ? worker : watchdog)();
  if (held !== undefined) claims.release(held.fd);
  for (const connection of connections) connection?.claim.giveBack();
  return answered;
}

describe('the table of claims', () => {
  it('says which clients wait for an answer', () => {
    const claims = new AnswerClaims();
    const [idle, waiting, answering] = [claims.open(5), claims.open(6), claims.open(7)];
    waiting?.noteRequest();
    answering?.noteRequest();
    expect(answering?.mayWrite()).toBe(true);
    const seen: [fd: number, hasRequest: boolean][] = [];
    new AnswerClaims(claims.shared).claimAll((fd, hasRequest) => seen.push([fd, hasRequest]));
    expect(seen).toEqual([
      [5, false],
      [6, true],
    ]);
    expect([idle?.mayWrite(), waiting?.mayWrite(), answering?.mayWrite()]).toEqual([false, false, true]);
  });

  it('does not let go of an answer while a part of it is not with the kernel', () => {
    const claims = new AnswerClaims();
    const claim = claims.open(5)!;
    claim.mayWrite();
    claim.noteIdle(false);
    expect(claims.claim(5)).toBe(false);
    claim.noteIdle(true);
    expect(claims.claim(5)).toBe(true);
  });

  it('gives the entry back in the middle of an answer, and the next connection begins with an open one', () => {
    const claims = new AnswerClaims();
    const before = claims.open(5)!;
    expect(before.mayWrite()).toBe(true);
    before.giveBack();
    expect(claims.claim(5)).toBe(false);
    const next = claims.open(5)!;
    expect(claims.claim(5)).toBe(true);
    claims.release(5);
    expect(next.mayWrite()).toBe(false);
  });

  it('leaves a connection alone whose descriptor it does not cover', () => {
    const claims = new AnswerClaims();
    expect([claims.open(-1), claims.open(2 ** 20)]).toEqual([undefined, undefined]);
  });

  it('lets a descriptor be closed only once the watchdog has let go of it', async () => {
    const claims = new AnswerClaims();
    const claim = claims.open(5)!;
    expect(claims.claim(5)).toBe(true);
    const code = `const { workerData } = require('node:worker_threads');
      setTimeout(() => { const states = new Int32Array(workerData, 0, 6); Atomics.store(states, 5, 4); Atomics.notify(states, 5); }, 50);`;
    const thread = new Worker(code, { eval: true, workerData: claims.shared });
    await new Promise((go) => thread.once('online', go));
    const startedAt = performance.now();
    claim.giveBack();
    // Not because it has waited long enough.
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(claims.claim(5)).toBe(false);
    await thread.terminate();
  });

  it('claims once more only what is not closed by now', () => {
    const claims = new AnswerClaims();
    const [one, other] = [claims.open(5)!, claims.open(6)!];
    claims.claimAll(() => {});
    one.giveBack();
    claims.open(5);
    const seen: number[] = [];
    for (const fd of [5, 6]) claims.claimAgain(fd, () => seen.push(fd));
    expect(seen).toEqual([6]);
    other.giveBack();
  });
});
