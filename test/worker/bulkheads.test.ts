import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { nowhere } from '../../src/http/ends.ts';
import { ClientGone, HttpError } from '../../src/http/errors.ts';
import { Exchange, type Transport } from '../../src/http/exchange.ts';
import { H1Answer } from '../../src/http/h1/answer.ts';
import { RequestHead } from '../../src/http/head.ts';
import { bulkheads, matcher } from '../../src/worker/bulkheads.ts';

const transport: Transport = {
  requestIdHeader: 'x-request-id',
  ends: { local: nowhere, remote: nowhere, scheme: 'http' },
  answer: new H1Answer({ sendText: () => true, sendBytes: () => true }),
  pendingBytes: 0,
  whenTaken: () => {},
  pauseBody: () => {},
  resumeBody: () => {},
  mayPersist: () => true,
  finish: (exchange: Exchange) => exchange.tellOver(),
  cut: () => {},
  hangUp: () => {},
  extendDeadline: () => {},
  waitFor: () => {},
  logFailure: () => {},
};

/** A worker with limits. Of each request that has begun: its path, and whether it has a client. */
function open(...limits: [pattern: string, limit: number][]) {
  return openWith(false, ...limits);
}

function openWith(newestFirst: boolean, ...limits: [pattern: string, limit: number][]) {
  const begun: Exchange[] = [];
  const handle = bulkheads(
    limits.map(([pattern, limit]) => ({ pattern, limit })),
    (exchange) => void begun.push(exchange),
    newestFirst,
  );
  const ask = (path: string, method = 'GET') => {
    const exchange = new Exchange(Object.assign(new RequestHead(), { path, method, target: path }), transport, 0);
    void handle(exchange);
    return exchange;
  };
  return { begun, ask, paths: () => begun.map(({ head }) => head.path) };
}

const answer = (exchange: Exchange) => exchange.send('200 OK', [], '');

describe('a limit for the requests to a route', () => {
  it('lets that many run at once, and the others in order as places become free; other routes do not wait', () => {
    const { ask, paths } = open(['/export/*', 2]);
    const first = ask('/export/1');
    ask('/export/2');
    ask('/export/3');
    ask('/export/4');
    ask('/light');
    expect(paths()).toEqual(['/export/1', '/export/2', '/light']);
    answer(first);
    expect(paths()).toEqual(['/export/1', '/export/2', '/light', '/export/3']);
  });

  it('of several patterns that match, the first counts; each has its own places', () => {
    const { ask, paths } = open(['/a/b', 1], ['/a/*', 1]);
    for (const path of ['/a/b', '/a/c', '/a/b', '/a/c']) ask(path);
    expect(paths()).toEqual(['/a/b', '/a/c']);
  });

  it('is not passed by another spelling of the path', () => {
    const { ask, paths } = open(['/export', 1]);
    ask('/export');
    ask('/%65xport');
    ask('/ex%');
    expect(paths()).toEqual(['/export', '/ex%']);
  });

  it('a client that leaves while it waits gives up its turn, and one whose request has an effect does not', () => {
    const { ask, begun, paths } = open(['/x*', 1]);
    const running = ask('/x1');
    const reader = ask('/x2');
    const writer = ask('/x3', 'POST');
    for (const each of [reader, writer]) each.abort(new ClientGone('the client closed the connection'));
    expect(paths()).toEqual(['/x1']);
    answer(running);
    expect(paths()).toEqual(['/x1', '/x3']);
    expect(begun[1]!.outcome).toBe('unheard');
  });

  it('a client that leaves while its request runs frees the place', () => {
    const { ask, paths } = open(['/x*', 1]);
    const running = ask('/x1');
    ask('/x2');
    running.abort(new ClientGone('the client closed the connection'));
    expect(paths()).toEqual(['/x1', '/x2']);
  });

  it('a request whose time is over while it waits never runs', () => {
    const { ask, paths } = open(['/x*', 1]);
    const running = ask('/x1');
    const late = ask('/x2', 'POST');
    late.abort(new HttpError(504, 'too late'));
    ask('/x3');
    answer(running);
    expect(paths()).toEqual(['/x1', '/x3']);
  });

  it('the newest goes first, where that is asked for and the oldest has waited for over a second', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    for (const newestFirst of [true, false]) {
      const { ask, paths, begun } = openWith(newestFirst, ['/x*', 1]);
      ask('/x1');
      for (const path of ['/x2', '/x3', '/x4']) ask(path);
      vi.advanceTimersByTime(900);
      answer(begun[0]!);
      vi.advanceTimersByTime(200);
      for (let at = 1; at < 4; at++) answer(begun[at]!);
      expect(paths()).toEqual(newestFirst ? ['/x1', '/x2', '/x4', '/x3'] : ['/x1', '/x2', '/x3', '/x4']);
    }
  });

  it('says how long the request has waited', () => {
    const { ask, begun } = open(['/x*', 1]);
    const running = ask('/x1');
    ask('/x2');
    answer(running);
    expect(begun[0]!.queueMs).toBeUndefined();
    expect(begun[1]!.queueMs).toBeGreaterThanOrEqual(0);
  });

  it('is settled for whoever asks when the app is done, or will never get the request', async () => {
    const doneWith: (() => void)[] = [];
    const handle = bulkheads(
      [{ pattern: '/', limit: 1 }],
      () => new Promise<void>((resolve) => doneWith.push(resolve)),
      false,
    );
    const requests = [1, 2, 3].map(
      () => new Exchange(Object.assign(new RequestHead(), { path: '/', method: 'GET' }), transport, 0),
    );
    const settled = requests.map((each) => Promise.resolve(handle(each)));
    requests[2]!.abort(new ClientGone('the client closed the connection'));
    await settled[2];
    answer(requests[0]!);
    for (const done of doneWith) done();
    await settled[0];
    await settled[1];
    expect(doneWith).toHaveLength(2);
  });
});

describe('a pattern', () => {
  it.each([
    ['/export', '/export', true],
    ['/export', '/export/', false],
    ['/export/*', '/export/', true],
    ['/export/*', '/export', false],
    ['*', '/anything', true],
    ['*.pdf', '/a/b.pdf', true],
    ['*.pdf', '/a/b.pdf.txt', false],
    ['/a/*/b', '/a/x/y/b', true],
    ['/a/*/b', '/a/b', false],
    ['/a*a', '/a', false],
    ['/*x*y', '/axby', true],
    ['/*x*y', '/ayxb', false],
  ])('%s and %s: %s', (pattern, path, isMatch) => expect(matcher(pattern)(path)).toBe(isMatch));

  it('matches as a regular expression would', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (parts, path) => {
        const isMatch = new RegExp(`^${parts.join('.*')}$`, 's').test(path);
        expect(matcher(parts.join('*'))(path)).toBe(isMatch);
      }),
    );
  });
});
