/** One request and its answer, on a sink that writes down what it is told: states, lengths, and the one way for failures. */

import { describe, expect, test } from 'vitest';
import type { AnswerSink } from '../../src/http/answer-sink.ts';
import { nowhere } from '../../src/http/ends.ts';
import { ClientGone } from '../../src/http/errors.ts';
import { Exchange, type Transport } from '../../src/http/exchange.ts';
import type { ResponseState } from '../../src/http/h1/writer.ts';
import { RequestHead } from '../../src/http/head.ts';

function make(head: Partial<RequestHead> = {}, canRetract = false) {
  const said: unknown[] = [];
  const failures: unknown[] = [];
  // As a protocol would have it in which the end of a body is known without a length.
  const answer: AnswerSink = {
    continue: () => said.push('continue'),
    interim: (status) => said.push(status),
    head(state: ResponseState, status, fields, knownLength) {
      const length = fields.find(([name]) => name === 'Content-Length')?.[1];
      state.contentLength = length === undefined ? knownLength : Number(length);
      state.framing = state.isHeadRequest ? 'none' : state.contentLength === -1 ? 'chunked' : 'length';
      said.push(status);
    },
    flushHead: () => true,
    data: (_state, piece) => said.push(Buffer.from(piece as string).toString()) > 0,
    end: (_state, trailers) => said.push(['end', ...trailers]),
    pass: () => true,
  };
  const transport: Transport = {
    requestIdHeader: 'x-request-id',
    ends: { local: nowhere, remote: nowhere, scheme: 'http' },
    answer,
    pendingBytes: 0,
    whenTaken: (callback) => callback(),
    pauseBody: () => said.push('pause'),
    resumeBody: () => said.push('resume'),
    mayPersist: () => true,
    finish: () => said.push('finish'),
    retract: () => canRetract && said.splice(0).length > 0,
    cut: () => said.push('cut'),
    hangUp: () => {},
    extendDeadline: () => {},
    waitFor: () => {},
    logFailure: (_exchange, error) => failures.push(error),
  };
  const request = Object.assign(new RequestHead(), { method: 'GET' }, head);
  return { said, failures, exchange: new Exchange(request, transport, 0) };
}

describe('an answer', () => {
  test('at once: head, body, end', () => {
    const { exchange, said } = make();
    exchange.send('200 OK', [], 'body');
    expect(said).toEqual(['200 OK', 'body', 'finish']);
    expect(exchange).toMatchObject({ isStarted: true, isEnded: true, status: '200 OK', sentBytes: 4 });
  });

  test('in pieces: the head goes with the first that is not empty', () => {
    const { exchange, said } = make();
    exchange.begin('200 OK', []);
    exchange.write('');
    expect(said).toEqual([]);
    exchange.write('one');
    exchange.write(Buffer.from('two'));
    exchange.end([['X-Sum', '6']]);
    expect(said).toEqual(['200 OK', 'one', 'two', ['end', ['X-Sum', '6']], 'finish']);
    expect(exchange.sentBytes).toBe(6);
  });

  test('longer than its Content-Length fails, and may yet be another one', () => {
    const { exchange, said } = make();
    exchange.begin('200 OK', [['Content-Length', '3']]);
    expect(() => exchange.write('four')).toThrow(/longer than its Content-Length of 3/);
    expect(exchange).toMatchObject({ isStarted: false, sentBytes: 0 });
    exchange.send('500 Internal Server Error', [], 'x');
    expect(said.slice(1)).toEqual(['500 Internal Server Error', 'x', 'finish']);
  });

  test('shorter than its Content-Length fails at its end', () => {
    const { exchange } = make();
    exchange.begin('200 OK', [['Content-Length', '3']]);
    exchange.write('ab');
    expect(() => exchange.end()).toThrow(/has 2 bytes, but its Content-Length says 3/);
    expect(exchange.isEnded).toBe(false);
  });

  test('to nobody goes nowhere', () => {
    const { exchange, said } = make();
    exchange.abort(new ClientGone('gone'));
    exchange.send('200 OK', [], 'body');
    exchange.begin('200 OK', []);
    expect(exchange.write('x')).toBe(false);
    exchange.end();
    expect(said).toEqual([]);
  });
});

describe('a failure', () => {
  const error = new Error('app');

  test('ahead of the answer is answered 500', () => {
    const { exchange, said, failures } = make();
    exchange.fail(error);
    expect(said[0]).toBe('500 Internal Server Error');
    expect(failures).toEqual([error]);
  });

  test('amid the answer cuts the connection, and nothing more is sent', () => {
    const { exchange, said } = make();
    exchange.begin('200 OK', []);
    exchange.write('half');
    exchange.fail(error);
    exchange.write('more');
    expect(said).toEqual(['200 OK', 'half', 'cut']);
  });

  test('amid an answer of which nothing is on the wire is answered 500', () => {
    const { exchange, said } = make({}, true);
    exchange.begin('200 OK', []);
    exchange.write('half');
    exchange.fail(error);
    expect(said[0]).toBe('500 Internal Server Error');
  });

  test('behind the answer is only logged', () => {
    const { exchange, said, failures } = make();
    exchange.send('200 OK', [], '');
    exchange.fail(error);
    expect(said).toEqual(['200 OK', 'finish']);
    expect(failures).toEqual([error]);
  });

  test('of a request over time is answered 504', () => {
    const { exchange, said } = make();
    exchange.isOverdue = true;
    exchange.fail(error);
    expect(said[0]).toBe('504 Gateway Timeout');
  });
});

describe('a body', () => {
  test('is asked for once the app reads, where its client waits for that', () => {
    const { exchange, said } = make({ contentLength: 2, expectsContinue: true });
    expect(exchange.isAwaitingContinue).toBe(true);
    exchange.readBody({ onData: () => true, onEnd: () => {} });
    expect(said).toEqual(['continue', 'resume']);
    expect(exchange.isAwaitingContinue).toBe(false);
  });

  test('that comes ahead of the app’s reading waits for it', () => {
    const { exchange } = make({ contentLength: 4 });
    exchange.takeBody(Buffer.from('ab'));
    exchange.takeBody(Buffer.from('cd'));
    exchange.endBody();
    const read: string[] = [];
    exchange.readBody({ onData: (bytes) => read.push(bytes.toString()) > 0, onEnd: () => read.push('end') });
    expect(read.join('')).toBe('abcdend');
    expect(exchange.receivedBytes).toBe(4);
  });

  test('stops the connection when the app takes no more', () => {
    const { exchange, said } = make({ isChunked: true });
    exchange.readBody({ onData: () => false, onEnd: () => {} });
    exchange.takeBody(Buffer.from('ab'));
    expect(said).toEqual(['resume', 'pause']);
  });
});
