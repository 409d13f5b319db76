/** Addresses to listen on: their forms, and the errors for other forms. */

import { Expected, parser } from './parser.ts';

/** Where to listen: a TCP address, the file of a unix socket, or a listening socket inherited as a descriptor. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly isTls?: true }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly fd: number };

const tcpForm = /^(?:\[([0-9a-fA-F:.]+(?:%\w+)?)\]|([^:[\]\s/]*)):(\d{1,5})$/;
/** As in gunicorn, the path may follow two slashes: `unix:///run/app.sock` is `/run/app.sock`. */
const unixForm = /^unix:(?!\/\/$)(?:\/\/)?([^\0]+)$/;
const fdForm = /^fd:\/\/(\d{1,6})$/;
const addressForms = 'HOST:PORT or [V6]:PORT with a port from 0 to 65535, unix:PATH, or fd://N';

/** `HOST:PORT`, `[V6]:PORT`, `unix:PATH` or `fd://N`; an empty host means every IPv4 interface, as in gunicorn. */
export function address(raw: unknown): Address {
  if (typeof raw !== 'string') throw new Expected(addressForms, raw);
  const path = unixForm.exec(raw)?.[1];
  if (path !== undefined) return { kind: 'unix', path };
  const fd = fdForm.exec(raw)?.[1];
  if (fd !== undefined) return { kind: 'fd', fd: Number(fd) };
  const isTls = raw.startsWith('https://');
  const match = tcpForm.exec(isTls ? raw.slice('https://'.length) : raw);
  const port = Number(match?.[3]);
  if (match === null || !(port <= 65535)) throw new Expected(addressForms, raw, likelyAddress(raw));
  return { kind: 'tcp', host: match[1] ?? (match[2] || '0.0.0.0'), port, ...(isTls ? { isTls } : {}) };
}

/** A port alone does not say who may connect, and guessing that is unsafe. The URLs of Puma and others have all that we need. */
function likelyAddress(raw: string): string | undefined {
  const [, port, url] = /^(?:(\d{1,5})|(?:tcp|http):\/\/(.+?)\/?)$/.exec(raw) ?? [];
  if (port !== undefined && Number(port) <= 65535)
    return `write 127.0.0.1:${port} to serve this machine only, or 0.0.0.0:${port} for all of its addresses`;
  if (url !== undefined && tcpForm.test(url)) return `write ${url}`;
  if (/^[^:/[\]]+$/.test(raw) && raw.trim() !== '') return `a port is missing: write ${raw.trim()}:8000`;
  return /^[0-9a-f]*:[0-9a-f:.]*:\d+$/i.test(raw)
    ? `write [${raw.slice(0, raw.lastIndexOf(':'))}]${raw.slice(raw.lastIndexOf(':'))}`
    : undefined;
}

/** One address or a list of them; in the environment they are separated by commas. */
export const addresses = parser<Address[], string | readonly string[]>(
  { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list) || list.length === 0) throw new Expected('an address or a list of addresses');
    return list.map(address);
  },
  (list) => (list.length === 1 ? formatAddress(list[0]!) : list.map(formatAddress)),
);

export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  if (address.kind === 'fd') return `fd://${address.fd}`;
  const { host, port, isTls } = address;
  return `${isTls === true ? 'https://' : ''}${host.includes(':') ? `[${host}]` : host}:${port}`;
}
