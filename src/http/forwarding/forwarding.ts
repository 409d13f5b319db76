/**
 * Reads what proxies say of a request: its scheme, its client's address, the host that was asked for. Only trusted peers are
 * believed, and each part has a setting of its own. The fields of other peers change nothing.
 */

import type { End, Ends, Scheme } from '../ends.ts';
import { HttpError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { hostForm } from '../h1/grammar.ts';
import type { RequestHead } from '../head.ts';
import { clientHop, type Hop, hopOfSingle, hopsOfForwarded, hopsOfList, loadForwarded, members } from './client.ts';
import { Trusted } from './trust.ts';

export interface ForwardingOptions {
  /** Addresses, networks by prefix, or `*`. */
  readonly allowFrom: readonly string[];
  /** The field with the client's address, in lower case. */
  readonly clientAddress: string | undefined;
  /** Whether host, port and prefix are believed too. */
  readonly host: boolean;
  /** Whether fields of peers that are not trusted are removed. */
  readonly strips: boolean;
}

/** Fields that name the scheme, and the values that mean https: gunicorn's `secure_scheme_headers`. */
const schemeFields = new Map<string, readonly string[]>([
  ['x-forwarded-proto', ['https']],
  ['x-forwarded-protocol', ['ssl', 'https']],
  ['x-forwarded-ssl', ['on']],
]);

const prefixForm = /^(?:\/(?:[\w\-.~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+)*\/?$/;

export class Forwarding {
  private readonly options: ForwardingOptions;
  private readonly trusted: Trusted;
  /** Whether every request is examined, or only those with a field that proxies are known to set. */
  private readonly isForAll: boolean;

  constructor(options: ForwardingOptions) {
    this.options = options;
    this.trusted = new Trusted(options.allowFrom);
    if (options.clientAddress === 'forwarded') loadForwarded();
    this.isForAll = options.clientAddress !== undefined || options.strips;
  }

  /** @returns whether the request may go on; a request whose fields contradict each other is answered here */
  admit(exchange: Exchange): boolean {
    if (!exchange.head.isForwarded && !this.isForAll) return true;
    const { head, ends } = exchange;
    if (!this.trusted.has(ends.remote.address)) {
      if (this.options.strips) strip(head, this.options.clientAddress);
      return true;
    }
    try {
      exchange.ends = this.read(head, ends);
      return true;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      head.isKeepAlive = false;
      exchange.outcome = 'refused';
      exchange.answer(error);
      return false;
    }
  }

  /** @throws HttpError 400 */
  private read(head: RequestHead, ends: Ends): Ends {
    const hop = this.clientOf(head);
    const scheme = readScheme(head, hop?.proto) ?? ends.scheme;
    const remote = hop?.from ?? ends.remote;
    if (!this.options.host) return { ...ends, scheme, remote };
    return { ...ends, scheme, remote, ...readTarget(head, ends.local, hop?.host) };
  }

  private clientOf(head: RequestHead): Hop | undefined {
    const { clientAddress: name } = this.options;
    if (name === undefined) return undefined;
    const values = valuesOf(head, name);
    return clientHop(hopsIn(values, name), this.trusted);
  }
}

function hopsIn(values: readonly string[], name: string): Hop[] {
  if (name === 'x-forwarded-for') return hopsOfList(values);
  return name === 'forwarded' ? hopsOfForwarded(values) : hopOfSingle(values, name);
}

/** As in gunicorn, every value but the secure one means http. Fields that contradict each other are refused. */
function readScheme({ names, values }: RequestHead, proto: string | undefined): Scheme | undefined {
  let scheme: Scheme | undefined = proto === undefined ? undefined : proto.toLowerCase() === 'https' ? 'https' : 'http';
  for (let index = 0; index < names.length; index++) {
    const secure = schemeFields.get(names[index]!.lower);
    if (secure === undefined) continue;
    const said = secure.includes(values[index]!.toLowerCase()) ? 'https' : 'http';
    if (scheme !== undefined && scheme !== said) throw new HttpError(400, 'contradictory scheme headers');
    scheme = said;
  }
  return scheme;
}

/** Host, port and prefix, each by its nearest proxy. Also notes the host on the head, where interfaces look for it. */
function readTarget(head: RequestHead, local: End, forwardedHost: string | undefined): Pick<Ends, 'local' | 'prefix'> {
  const host = last(head, 'x-forwarded-host') ?? forwardedHost;
  if (host !== undefined) {
    if (host === '' || !hostForm.test(host)) throw new HttpError(400, 'malformed X-Forwarded-Host');
    head.host = host;
  }
  const port = last(head, 'x-forwarded-port') ?? /:(\d+)$/.exec(host ?? '')?.[1] ?? local.port;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new HttpError(400, 'malformed X-Forwarded-Port');
  const prefix = last(head, 'x-forwarded-prefix') ?? '';
  if (!prefixForm.test(prefix)) throw new HttpError(400, 'malformed X-Forwarded-Prefix');
  return { local: { address: local.address, port }, prefix: prefix.endsWith('/') ? prefix.slice(0, -1) : prefix };
}

function last(head: RequestHead, name: string): string | undefined {
  return members(valuesOf(head, name)).at(-1);
}

function valuesOf({ names, values }: RequestHead, name: string): string[] {
  return values.filter((_, index) => names[index]!.lower === name);
}

/** Removes fields whose names differ by an underscore too: some apps and their servers read them as the same. */
function strip(head: RequestHead, clientAddress: string | undefined): void {
  const isKept = head.names.map(({ lower }) => {
    const name = lower.replaceAll('_', '-');
    return name !== clientAddress && !isForwarding(name);
  });
  head.names = head.names.filter((_, index) => isKept[index]);
  head.values = head.values.filter((_, index) => isKept[index]);
}

function isForwarding(name: string): boolean {
  return name === 'forwarded' || name === 'x-real-ip' || name.startsWith('x-forwarded-');
}
