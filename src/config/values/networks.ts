/** Whom to believe: lists of addresses and networks, and the errors for what people write in their place. */

import { isIPv4, SocketAddress } from 'node:net';
import { Expected, type Parser, parser } from './parser.ts';

const forms = 'an IP address, a network such as 10.0.0.0/8, or "*"';

const one = '(\\*|(\\d{1,3}\\.){3}\\d{1,3}(/\\d{1,2})?|[0-9a-fA-F]*:[0-9a-fA-F:.]+(/\\d{1,3})?)';

/** One or a list; in the environment and on the command line they are separated by commas. An empty text is nobody. */
export const networks: Parser<readonly string[], string | readonly string[]> = parser(
  {
    anyOf: [
      { type: 'string', pattern: `^(${one}( ?, ?${one})*)?$` },
      { type: 'array', items: { type: 'string', pattern: `^${one}$` } },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list)) throw new Expected(`${forms}, or a list of them`);
    if (raw === '') return [];
    return list.map(network);
  },
);

function network(raw: unknown): string {
  if (raw === '*') return raw;
  const [address = '', prefix, ...rest] = typeof raw === 'string' ? raw.split('/') : [];
  const bits = isIPv4(address) ? 32 : 128;
  if (!isAddress(address) || address.includes('%') || rest.length > 0) throw new Expected(forms, raw, likely(raw));
  if (prefix === undefined) return address.toLowerCase();
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)
    throw new Expected(`a network with a prefix from 0 to ${bits}`, raw, likely(raw));
  const first = firstOf(address, Number(prefix));
  // Somebody may have meant the one address.
  if (first !== undefined)
    throw new Expected(
      'a network without host bits',
      raw,
      `write ${first}/${prefix}, or ${address} for this address alone`,
    );
  return `${address.toLowerCase()}/${Number(prefix)}`;
}

/** Not by `net.isIP`, which compiles its expression for IPv6 at the first use: 5 ms of each start. */
function isAddress(text: string): boolean {
  if (!text.includes(':')) return isIPv4(text);
  try {
    return new SocketAddress({ address: text, family: 'ipv6' }).family === 'ipv6';
  } catch {
    return false;
  }
}

/** @returns the first address of the network, if it is another */
function firstOf(address: string, prefix: number): string | undefined {
  if (!isIPv4(address)) return undefined;
  const bytes = address.split('.').map(Number);
  const first = bytes.map((byte, index) => {
    const kept = Math.min(Math.max(prefix - index * 8, 0), 8);
    return byte & (0xff00 >> kept) & 0xff;
  });
  return first.join('.') === address ? undefined : first.join('.');
}

function likely(raw: unknown): string | undefined {
  if (typeof raw !== 'string' || raw === '') return undefined;
  const [, bracketed] = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(raw) ?? [];
  if (bracketed !== undefined) return `write ${bracketed}`;
  const [, withoutPort = ''] = /^([\d.]+):\d+$/.exec(raw) ?? [];
  if (isIPv4(withoutPort)) return `write ${withoutPort}, without a port`;
  if (raw.includes('%')) return `write ${raw.slice(0, raw.indexOf('%'))}, without the zone`;
  const [, wild] = /^((?:\d{1,3}\.){1,3})(?:\*\.?){1,3}$/.exec(raw) ?? [];
  if (wild !== undefined) {
    const known = wild.split('.').slice(0, -1);
    return `write ${[...known, '0', '0', '0'].slice(0, 4).join('.')}/${known.length * 8}`;
  }
  const [, base = '', mask = ''] = /^([^/]+)\/(\d+\.\d+\.\d+\.\d+)$/.exec(raw) ?? [];
  if (isIPv4(base) && isIPv4(mask)) return `write the mask as a number of bits, such as ${base}/24`;
  if (/^unix(:|$)/.test(raw)) return 'leave it out: peers on unix sockets are always believed';
  if (raw === 'localhost') return 'write 127.0.0.1,::1';
  if (/^[a-z][\w.-]*$/i.test(raw)) return 'names are not looked up: write the addresses';
  return undefined;
}
