/** The client's address out of what proxies have written of it. Pure. */

import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type { End } from '../ends.ts';
import { HttpError } from '../errors.ts';
import { trimOws } from '../h1/grammar.ts';
import { type Trusted, withoutMapping } from './trust.ts';

/** A hop that says that it does not know, or does not tell, who asks (RFC 7239 §6.2, §6.3); and what nobody can read. */
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

/** A hop of a request's way: who asked, and how. */
export interface Hop {
  readonly from: End;
  readonly proto?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * The rightmost hop that did not come from a trusted proxy: what stands left of it is that client's own claim. Where all are
 * trusted, the leftmost. @returns undefined without any
 */
export function clientHop(hops: readonly Hop[], trusted: Trusted): Hop | undefined {
  if (trusted.isAll) return hops[0];
  for (let index = hops.length - 1; index > 0; index--) {
    const { address } = hops[index]!.from;
    if (address === '' || !trusted.has(address)) return hops[index];
  }
  return hops[0];
}

/** X-Forwarded-For: addresses in the order of the way, repeated fields as one list (RFC 9110 §5.3). */
export function hopsOfList(values: readonly string[]): Hop[] {
  return members(values).map((member) => ({ from: readNode(member) }));
}

type ParseForwarded = (value: string) => readonly Readonly<Record<string, string>>[];
let parseForwarded: ParseForwarded;

/** For who reads Forwarded: a package that others do without. Ahead of the first request, as its files may vanish later. */
export function loadForwarded(): void {
  parseForwarded ??= createRequire(import.meta.url)('forwarded-parse') as ParseForwarded;
}

/** Forwarded (RFC 7239); `loadForwarded` comes first. @throws HttpError 400: what is not read whole may hide where the proxy's own part begins */
export function hopsOfForwarded(values: readonly string[]): Hop[] {
  let elements: ReturnType<ParseForwarded>;
  try {
    // Each field for itself: a quote that a client leaves open must not take in what its proxy adds.
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

/** A field of one address. Two of it are refused: one may be the client's. */
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
