/** Finds the client's address in what proxies have written. Pure. */

import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type { End } from '../ends.ts';
import { HttpError } from '../errors.ts';
import { trimOws } from '../h1/grammar.ts';
import { type Trusted, withoutMapping } from './trust.ts';

/** A hop that is unknown or hidden (RFC 7239 §6.2, §6.3), or cannot be read. */
export const unknown: End = { address: '', port: '' };

const bracketForm = /^\[([^\]]*)\](?::(\d{1,5}))?$/;
const portForm = /^([\d.]+):(\d{1,5})$/;

/** An address with or without a port; an IPv6 address may stand in brackets. */
export function readNode(text: string): End {
  const [, bracketed, bracketedPort = ''] = bracketForm.exec(text) ?? [];
  const [, dotted, dottedPort = ''] = portForm.exec(text) ?? [];
  const address = bracketed ?? dotted ?? text;
  const port = bracketedPort || dottedPort;
  const isAddress = isIP(address) !== 0 && (bracketed === undefined || address.includes(':'));
  if (!isAddress || Number(port) > 65535) return unknown;
  return { address: withoutMapping(address), port };
}

/** One hop of a request: who sent it, and by which scheme and host. */
export interface Hop {
  readonly from: End;
  readonly proto?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * The rightmost hop that did not come from a trusted proxy: that client may have made up all to the left of it. If all are
 * trusted, the leftmost.
 * @returns undefined if there are no hops
 */
export function clientHop(hops: readonly Hop[], trusted: Trusted): Hop | undefined {
  if (trusted.isAll) return hops[0];
  for (let index = hops.length - 1; index > 0; index--) {
    const { address } = hops[index]!.from;
    if (address === '' || !trusted.has(address)) return hops[index];
  }
  return hops[0];
}

/** X-Forwarded-For: addresses in the order of the hops. Repeated fields are one list (RFC 9110 §5.3). */
export function hopsOfList(values: readonly string[]): Hop[] {
  return members(values).map((member) => ({ from: readNode(member) }));
}

type ParseForwarded = (value: string) => readonly Readonly<Record<string, string>>[];
let parseForwarded: ParseForwarded;

/**
 * Loads the parser of Forwarded, a package that most services do without. To be called before the first request: its files may
 * be missing later.
 */
export function loadForwarded(): void {
  parseForwarded ??= createRequire(import.meta.url)('forwarded-parse') as ParseForwarded;
}

/**
 * Forwarded (RFC 7239). `loadForwarded` must have been called.
 * @throws HttpError 400: a field that cannot be parsed whole may hide where the proxy's own part begins
 */
export function hopsOfForwarded(values: readonly string[]): Hop[] {
  let elements: ReturnType<ParseForwarded>;
  try {
    // Each field is parsed alone: a quote that a client leaves open must not swallow what its proxy adds.
    elements = values.filter((value) => value !== '').flatMap((value) => parseForwarded(value));
  } catch {
    throw new HttpError(400, 'malformed Forwarded');
  }
  return elements.map(({ for: node, proto, host }) => ({
    from: node === undefined ? unknown : readNode(node),
    proto,
    host,
  }));
}

/** A field with one address. Two such fields are refused, because one may be the client's own. */
export function hopOfSingle(values: readonly string[], name: string): Hop[] {
  if (values.length > 1) throw new HttpError(400, `more than one ${name}`);
  return values.map((value) => ({ from: readNode(value) }));
}

export function members(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(','))
    .map((member) => trimOws(member))
    .filter((member) => member !== '');
}
