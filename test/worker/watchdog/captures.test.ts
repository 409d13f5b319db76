import { describe, expect, it } from 'vitest';
import { Captures, type DebugSession } from '../../../src/worker/watchdog/capture.ts';

type Post = Parameters<DebugSession['post']>;

/** Sessions with a thread that runs no JavaScript: each ends when the test lets it. */
function idleThread() {
  const posted: Post[] = [];
  const open = (): DebugSession => ({
    on: () => {},
    post: (...post) => void posted.push(post),
    disconnect: () => {},
  });
  /** Answers all that was asked until now, and what follows from it. */
  const answer = (error: Error | null) => {
    for (let post = posted.shift(); post !== undefined; post = posted.shift()) post[2](error);
  };
  const methods = () => posted.map(([method]) => method);
  return { captures: new Captures(open), answer, methods };
}

describe('stacks of one thread that are wanted at the same time', () => {
  it('are taken one after another, and not at all once nobody wants them', () => {
    const { captures, answer, methods } = idleThread();
    const ended: string[] = [];
    const take = (name: string, isWanted: boolean) =>
      captures.run({
        expression: '',
        isWanted: () => isWanted,
        onEnd: (captured) => void ended.push(`${name} ${captured}`),
        onForeign: () => {},
      });
    take('first', true);
    take('second', false);
    take('third', true);
    expect(methods()).toEqual(['Debugger.enable', 'Debugger.pause']);
    answer(new Error('closed'));
    expect(ended).toEqual(['second undefined', 'first undefined', 'third undefined']);
  });
});
