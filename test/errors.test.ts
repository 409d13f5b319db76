/** What the log says of a thrown value. */

import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { report } from '../src/errors.ts';

/** The stack without its places. */
const outline = (error: unknown) =>
  report(error)
    .stack?.split('\n')
    .filter((line) => !/^ +at /.test(line))
    .join('\n');

describe('the log of an error', () => {
  it('shows what caused it, and what caused that', () => {
    const root = new TypeError('root');
    const error = new Error('outer', { cause: new Error('middle', { cause: root }) });
    expect(outline(error)).toBe('Error: outer\n  [cause]: Error: middle\n    [cause]: TypeError: root');
    expect(report(error).stack).toMatch(/TypeError: root\n {8}at .*errors\.test\.ts/);
  });

  it('shows all that an AggregateError holds, and takes their messages where it has none', () => {
    const error = new AggregateError([
      new Error('connect ECONNREFUSED ::1:5432'),
      new Error('connect ECONNREFUSED 127.0.0.1:5432'),
    ]);
    expect(outline(error)).toMatch(
      /^AggregateError(?:: )?\n {2}\[errors\[0\]\]: Error: connect ECONNREFUSED ::1:5432\n {2}\[errors\[1\]\]: Error: connect ECONNREFUSED 127.0.0.1:5432$/,
    );
    expect(report(error).message).toBe('connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432');
  });

  it('shows both errors of a SuppressedError', () => {
    const error = Object.assign(new Error('disposed'), {
      name: 'SuppressedError',
      error: new Error('later'),
      suppressed: new Error('earlier'),
    });
    expect(outline(error)).toMatch(/\n {2}\[error\]: Error: later\n {2}\[suppressed\]: Error: earlier$/);
  });

  it('names a cause that is no error', () => {
    expect(outline(new Error('outer', { cause: 'no disk' }))).toBe('Error: outer\n  [cause]: "no disk"');
    expect(outline(new Error('outer', { cause: { password: 'x' } }))).toBe('Error: outer\n  [cause]: an object');
  });

  it('ends where causes form a circle, or have no end', () => {
    const circle = new Error('first');
    circle.cause = new Error('second', { cause: circle });
    expect(outline(circle)).toBe('Error: first\n  [cause]: Error: second\n    [cause]: Error: first [see above]');

    const own = new AggregateError([], 'own');
    own.errors.push(own);
    expect(outline(own)).toBe('AggregateError: own\n  [errors[0]]: AggregateError: own [see above]');

    let deep = new Error('0');
    for (let level = 1; level < 10_000; level++) deep = new Error(String(level), { cause: deep });
    expect(outline(deep)?.split('\n')).toHaveLength(10);
    expect(outline(deep)).toMatch(/\[cause\]: \.\.\.$/);

    const wide = new AggregateError(
      Array.from({ length: 100_000 }, (_, index) => new Error(`e${index}`)),
      'all failed',
    );
    expect(outline(wide)?.split('\n')).toHaveLength(18);
    expect(outline(wide)).toMatch(/\[errors\[16\]\]: \.\.\.$/);
  });

  it('is written even if the error throws when it is read', () => {
    const hostile = new Error('outer');
    Object.defineProperty(hostile, 'cause', {
      get() {
        throw new Error('no');
      },
    });
    expect(outline(hostile)).toBe('Error: outer');
    const inner = Object.defineProperty(new Error('inner'), 'stack', { value: undefined });
    Object.defineProperty(inner, 'toString', { value: () => Object.create(null) });
    expect(outline(new Error('outer', { cause: inner }))).toBe(
      'Error: outer\n  [cause]: an object that cannot be described',
    );
  });

  it('recognises an error of another realm', () => {
    expect(report(runInNewContext('new RangeError("over there")'))).toMatchObject({
      name: 'RangeError',
      message: 'over there',
    });
  });

  it("keeps Node's code", () => {
    expect(report(Object.assign(new Error('x'), { code: 'EPIPE' })).code).toBe('EPIPE');
  });
});
