/**
 * The tracing channel `tsgun.request` (`node:diagnostics_channel`): each request, whatever interface it is served by. Nothing
 * is made or watched for it while nobody has subscribed.
 */

import { tracingChannel } from 'node:diagnostics_channel';
import type { End } from '../http/ends.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Handler } from './handler.ts';

/** What subscribers are given: one object for a request, from `start` to `asyncEnd`. */
export interface RequestTrace {
  readonly interface: string;
  readonly method: string;
  /** The target, as sent. */
  readonly url: string;
  readonly httpVersion: string;
  /** By their names in lower case; the values of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for a client on a unix socket. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** That of the answer; undefined before it, and where there is none. */
  status: number | undefined;
  /** What the app failed with. */
  error?: unknown;
}

/** A raw connection of a tcp app. */
export type ConnectionTrace = Pick<RequestTrace, 'interface' | 'remoteAddress' | 'remotePort' | 'error'>;

const channel = tracingChannel<unknown, object>('tsgun.request');
// Since Node 20.13; not in the types of Node 20.
const hasSubscribers = (): boolean => (channel as unknown as { hasSubscribers: boolean }).hasSubscribers;

/** Publishes what a handler does, while somebody has subscribed. */
export function traced(name: string, handle: Handler): Handler {
  const { extras } = handle;
  const watched = (exchange: Exchange) => (hasSubscribers() ? trace(name, handle, exchange) : handle(exchange));
  return extras === undefined ? watched : Object.assign(watched, { extras });
}

function trace(name: string, handle: Handler, exchange: Exchange): void | Promise<void> {
  const context = describeRequest(name, exchange);
  let isCalled = false;
  let isOver = false;
  const over = () => {
    if (!isCalled || isOver || !(exchange.isEnded || exchange.isGone)) return;
    isOver = true;
    if (exchange.isEnded) context.status = statusOf(exchange);
    channel.asyncStart.publish(context);
    channel.asyncEnd.publish(context);
  };
  watch(exchange, context, over);
  const settled = channel.start.runStores(context, () => {
    try {
      return handle(exchange);
    } finally {
      if (exchange.isEnded) context.status = statusOf(exchange);
      channel.end.publish(context);
    }
  });
  isCalled = true;
  over();
  return settled;
}

/** An exchange has no events for these. Only this one gets methods of its own: all others keep their shape. */
function watch(exchange: Exchange, context: RequestTrace, over: () => void): void {
  const { send, end, fail } = exchange;
  exchange.send = (status, fields, body) => {
    send.call(exchange, status, fields, body);
    over();
  };
  exchange.end = (trailers) => {
    end.call(exchange, trailers);
    over();
  };
  exchange.fail = (error) => {
    // What a client's departure breaks off is no failure of the app.
    if (!exchange.isGone) {
      context.error = error;
      channel.error.publish(context);
    }
    fail.call(exchange, error);
    over();
  };
  exchange.onAbort(over);
}

function describeRequest(name: string, { head, ends }: Exchange): RequestTrace {
  const headers: Record<string, string> = Object.create(null);
  for (const [index, { raw }] of head.names.entries()) {
    const key = raw.toLowerCase();
    headers[key] = headers[key] === undefined ? head.values[index]! : `${headers[key]}, ${head.values[index]}`;
  }
  return {
    interface: name,
    method: head.method,
    url: head.target,
    httpVersion: head.version,
    headers,
    ...describeEnd(ends.remote),
    status: undefined,
  };
}

function describeEnd({ address, port }: End): Pick<RequestTrace, 'remoteAddress' | 'remotePort'> {
  const isUnix = address === '';
  return { remoteAddress: isUnix ? undefined : address, remotePort: isUnix ? undefined : Number(port) };
}

function statusOf({ status }: Exchange): number {
  return Number.parseInt(status, 10);
}

/** Publishes a raw connection, from the app's call to the end of what it does. */
export async function traceConnection(
  name: string,
  remote: End,
  call: (failed: (error: unknown) => void) => Promise<void>,
): Promise<void> {
  if (!hasSubscribers()) return call(() => {});
  const context: ConnectionTrace = { interface: name, ...describeEnd(remote) };
  const settled = channel.start.runStores(context, () => {
    try {
      return call((error) => {
        context.error = error;
        channel.error.publish(context);
      });
    } finally {
      channel.end.publish(context);
    }
  });
  await settled;
  channel.asyncStart.publish(context);
  channel.asyncEnd.publish(context);
}
