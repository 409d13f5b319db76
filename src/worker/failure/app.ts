/** Under `--reload`: serves an error in the app's place. */

import type { Socket } from 'node:net';
import type { App, Header } from '../../app/types.ts';
import type { ErrorReport } from '../../errors.ts';
import { frameOf, placeOf } from './frame.ts';
import { type Failure, renderPage, renderText } from './page.ts';

export interface FailureApp {
  readonly interface: 'wsgi' | 'tcp';
  readonly app: App | ((socket: Socket) => void);
  /** Ends the connections of pages that wait for the app. */
  leave(): void;
}

/** @param serves what the app itself would get */
export function failureApp(error: ErrorReport, serves: 'requests' | 'connections'): FailureApp {
  const failure = describe(error);
  const departure = resolvable();
  const leave = () => departure.resolve();
  return serves === 'requests'
    ? { interface: 'wsgi', app: answering(failure, departure.promise), leave }
    : { interface: 'tcp', app: writing(failure), leave };
}

function answering(failure: Failure, departure: Promise<void>): App {
  return (env, startResponse) => {
    const accepts = env.HTTP_ACCEPT ?? '';
    const isGet = env.REQUEST_METHOD === 'GET';
    if (isGet && accepts.includes('text/event-stream')) {
      startResponse('200 OK', [['Content-Type', 'text/event-stream'], noStore]);
      return waiting(Promise.race([departure, aborted(env['tsgun.signal'])]));
    }
    const isBrowser = accepts.includes('text/html');
    const body = isBrowser ? renderPage(failure, isGet ? { id: String(process.pid) } : undefined) : renderText(failure);
    const type = isBrowser ? 'text/html' : 'text/plain';
    startResponse('500 Internal Server Error', [
      ['Content-Type', `${type}; charset=utf-8`],
      ['Content-Length', String(Buffer.byteLength(body))],
      ['Vary', 'Accept'],
      noStore,
    ]);
    return [body];
  };
}

function writing(failure: Failure): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', () => {});
    socket.end(renderText(failure));
  };
}

const noStore: Header = ['Cache-Control', 'no-store'];

export function describe(error: ErrorReport): Failure {
  const place = placeOf(error);
  const column = place?.column === undefined ? '' : `:${place.column}`;
  return {
    title: 'The app cannot be served',
    message: error.message,
    place: place && `${place.file}:${place.line}${column}`,
    frame: place && frameOf(place),
    stack: error.stack,
  };
}

async function* waiting(end: Promise<void>): AsyncGenerator<string> {
  yield `data: ${process.pid}\n\n`;
  await end;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function resolvable(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
