/**
 * `tsgun/validate`: stands between a server and an app and holds both to PEP 3333, as Python's `wsgiref.validate` does. For
 * an app author's own tests; what it finds is an AssertionError, which a server answers 500 and logs.
 */

import { Readable } from 'node:stream';
import { isPromise } from './app/promise.ts';
import type { App, Body, Environ, Header, StartResponse } from './app/types.ts';
import { assert, show, Violation } from './validate/assert.ts';
import { checkEnviron } from './validate/environ.ts';
import { checkContentType, checkHeaders, checkStatus } from './validate/response.ts';

// The parts of an app's type, for users who import only this module.
export type {
  App,
  Body,
  BodyPieces,
  Environ,
  FileBody,
  FileLike,
  FileWrapperClass,
  Header,
  Piece,
  StartResponse,
  Write,
} from './app/types.ts';
export type { Scheme } from './http/ends.ts';

export interface ValidatedApp extends App {
  /** Bodies that were returned and not closed: 0 when all answers are complete, or the server breaks the PEP. */
  readonly unclosed: number;
  /** What was found so far, each rule that was broken in a sentence: a server answers 500 and keeps it to its log. */
  readonly violations: readonly string[];
}

/** @returns the same app, which throws where it or its server break a rule */
export function validator(app: App): ValidatedApp {
  assert(typeof app === 'function', `an app is a function (env, startResponse) => body, not ${show(app)}`);
  const open = new Set<Answer>();
  const findings = new Findings();
  const serve = (...given: unknown[]): Body | Promise<Body> => {
    assert(given.length === 2, `a server calls an app with env and startResponse, not with ${given.length} arguments`);
    const [env, startResponse] = given as [Environ, StartResponse];
    checkEnviron(env);
    assert(typeof startResponse === 'function', `startResponse is a function, not ${show(startResponse)}`);
    const answer = new Answer(env, startResponse, open, findings);
    const body = app(
      env,
      findings.noting((...said: unknown[]) => answer.start(said)),
    );
    return isPromise(body) ? body.then(findings.noting((body) => answer.wrap(body))) : answer.wrap(body);
  };
  const validated = findings.noting(serve);
  return Object.defineProperties(validated, {
    unclosed: { get: () => open.size },
    violations: { get: () => [...findings.violations] },
    // Its parameters do not say it.
    [Symbol.for('tsgun.interface')]: { value: 'wsgi' },
  }) as unknown as ValidatedApp;
}

/** Keeps what the rest throws. */
class Findings {
  readonly violations: string[] = [];
  private readonly seen = new WeakSet<Error>();

  /** The same function. One that is called by another that is watched does not have its findings kept twice. */
  noting<A extends unknown[], R>(check: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      try {
        return check(...args);
      } catch (error) {
        if (error instanceof Violation && !this.seen.has(error)) {
          this.seen.add(error);
          this.violations.push(error.message);
        }
        throw error;
      }
    };
  }
}

/** One call of the app. */
class Answer {
  private readonly env: Environ;
  private readonly startResponse: StartResponse;
  private readonly open: Set<Answer>;
  private readonly findings: Findings;
  private isStarted = false;
  private isClosed = false;
  private isIterated = false;

  constructor(env: Environ, startResponse: StartResponse, open: Set<Answer>, findings: Findings) {
    this.env = env;
    this.startResponse = startResponse;
    this.open = open;
    this.findings = findings;
  }

  start(said: readonly unknown[]): ReturnType<StartResponse> {
    assert(
      said.length === 2 || said.length === 3,
      `startResponse takes status, headers and excInfo, not ${said.length} arguments`,
    );
    const [status, headers, excInfo] = said;
    const isCorrection = excInfo !== undefined && excInfo !== null;
    assert(isCorrection || !this.isStarted, 'startResponse is called once; a second call needs excInfo');
    checkStatus(status);
    checkHeaders(headers);
    checkContentType(status, headers, this.env.REQUEST_METHOD);
    this.isStarted = true;
    const write = this.startResponse(status, headers as readonly Header[], ...(said.length === 3 ? [excInfo] : []));
    assert(typeof write === 'function', `a server's startResponse returns a function, not ${show(write)}`);
    return this.findings.noting((piece) => {
      checkPiece(piece);
      return write(piece);
    });
  }

  wrap(body: Body): Body {
    assert(typeof body !== 'string', 'a body is not a text, which is one piece per character elsewhere: return [text]');
    assert(!(body instanceof Uint8Array), 'a body is not a byte array, whose pieces are numbers: return [bytes]');
    assert(typeof body === 'object' && body !== null, `an app returns an iterable body, not ${show(body)}`);
    assert(
      Symbol.iterator in body || Symbol.asyncIterator in body,
      `a body is a list, a generator, a stream or the like, not ${show(body)}`,
    );
    if ('close' in body && !(body instanceof Readable))
      assert(typeof body.close === 'function', `a body's close is a function, not ${show(body.close)}`);
    this.open.add(this);
    return Array.isArray(body) ? this.wrapList(body) : this.wrapIterable(body);
  }

  /** Stays a list, whose length the server may use. */
  private wrapList(pieces: readonly (string | Uint8Array)[]): Body {
    assert(this.isStarted, 'startResponse was not called before the body');
    for (const piece of pieces) checkPiece(piece);
    return Object.defineProperty([...pieces], 'close', {
      value: this.findings.noting(() => this.close(pieces as Body)),
    });
  }

  private wrapIterable(body: Body): Body {
    const close = this.findings.noting(() => this.close(body));
    if (Symbol.asyncIterator in body)
      return {
        [Symbol.asyncIterator]: this.findings.noting(() => this.watch(body[Symbol.asyncIterator](), true)),
        close,
      };
    return { [Symbol.iterator]: this.findings.noting(() => this.watch(body[Symbol.iterator](), false)), close };
  }

  private watch<T extends Iterator<unknown> | AsyncIterator<unknown>>(iterator: T, isAsync: boolean): T {
    assert(!this.isIterated, 'a server iterates over a body once');
    this.isIterated = true;
    assert(typeof iterator?.next === 'function', `an iterator has next(), which ${show(iterator)} has not`);
    const { findings } = this;
    const check = findings.noting((step: IteratorResult<unknown>) => {
      if (step.done === true) return step;
      checkPiece(step.value);
      assert(
        this.isStarted || step.value.length === 0,
        'startResponse was not called before the first piece of the body',
      );
      return step;
    });
    return {
      next: findings.noting(() => {
        assert(!this.isClosed, 'a server does not iterate over a body that it has closed');
        const step = iterator.next();
        return isAsync ? Promise.resolve(step).then(check) : check(step as IteratorResult<unknown>);
      }),
      ...(iterator.return === undefined ? {} : { return: () => iterator.return?.() }),
    } as unknown as T;
  }

  private close(body: Body): unknown {
    assert(!this.isClosed, 'a server closes a body once');
    this.isClosed = true;
    this.open.delete(this);
    return 'close' in body && typeof body.close === 'function' ? body.close() : undefined;
  }
}

function checkPiece(piece: unknown): asserts piece is string | Uint8Array {
  assert(
    typeof piece === 'string' || piece instanceof Uint8Array,
    `a piece of a body is a text or a byte array, not ${show(piece)}`,
  );
}
