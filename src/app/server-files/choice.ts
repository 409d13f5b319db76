/** Which of the servers that listen in a worker is its app. Pure. */

import type { Asked } from './asked.ts';

export interface Candidate {
  /** An `http.Server` or a server like it; else a `net.Server`. */
  readonly isHttp: boolean;
  readonly asked: Asked;
  /** Closed again: nobody has used it, such as one that looks for a free port. */
  isClosed: boolean;
}

/** Where tsgun itself listens. */
export interface Bound {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
}

/** What `$PORT` says, and where tsgun listens: the server that asks for one of these is most likely the app. */
export interface Own {
  readonly bound: readonly Bound[];
  readonly port: string | undefined;
}

/** In order of listening. */
export function choose<C extends Candidate>(candidates: readonly C[], own: Own): C | undefined {
  const open = candidates.filter(({ isClosed }) => !isClosed);
  const asking = open.filter(({ asked }) => asksFor(own, asked));
  return asking.find(isHttp) ?? asking[0] ?? open.find(isHttp) ?? open[0];
}

const isHttp = (candidate: Candidate) => candidate.isHttp;

export function asksFor({ bound, port }: Own, asked: Asked): boolean {
  if (asked.path !== undefined) return asked.path === port || bound.some(({ path }) => path === asked.path);
  if (asked.port === undefined || asked.port === 0) return false;
  return String(asked.port) === port || bound.some((each) => each.port === asked.port);
}

/** Whether it would need the very address that tsgun has. */
export function conflictOf({ bound }: Pick<Own, 'bound'>, { port, host, path }: Asked): Bound | undefined {
  if (path !== undefined) return bound.find((each) => each.path === path);
  if (port === undefined || port === 0) return undefined;
  return bound.find((each) => each.port === port && overlaps(each.host ?? '', host ?? '::'));
}

const everywhere = ['::', '0.0.0.0', ''];

/** `localhost` is not looked up: it is one of the two addresses that it always is. */
function overlaps(one: string, other: string): boolean {
  const addresses = (host: string) => (host === 'localhost' ? ['127.0.0.1', '::1'] : [host]);
  if (everywhere.includes(one) || everywhere.includes(other)) return isSameFamily(one, other);
  return addresses(one).some((address) => addresses(other).includes(address));
}

/** `::` takes IPv4 too, as Node opens it. */
function isSameFamily(one: string, other: string): boolean {
  const isOnlyV4 = (host: string) => /^\d+\./.test(host);
  const isOnlyV6 = (host: string) => host.includes(':') && host !== '::';
  return !(isOnlyV4(one) && isOnlyV6(other)) && !(isOnlyV6(one) && isOnlyV4(other));
}

/** The field `askedFor` of `worker_ready`: what the app wanted and did not get. */
export function askedElsewhere(own: Own, asked: Asked): number | string | undefined {
  if (asked.path !== undefined) return own.bound.some(({ path }) => path === asked.path) ? undefined : asked.path;
  if (asked.port === undefined || asked.port === 0) return undefined;
  return own.bound.some(({ port }) => port === asked.port) ? undefined : asked.port;
}
