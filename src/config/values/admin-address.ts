/** Where the admin listener listens, and who can reach it there. */

import { BlockList, isIP, isIPv6 } from 'node:net';
import { type Address, address, formatAddress } from './addresses.ts';
import { Expected, parser } from './parser.ts';

/** No descriptor of somebody else's: nothing says who could reach it. */
export type AdminAddress = Exclude<Address, { kind: 'fd' }>;

/** `HOST:PORT`, `[V6]:PORT` or `unix:PATH`. */
export const adminAddress = parser<AdminAddress, string>(
  { type: 'string', minLength: 1 },
  (raw) => {
    const found = address(raw);
    if (found.kind === 'fd') throw new Expected('HOST:PORT, [V6]:PORT or unix:PATH');
    return found;
  },
  formatAddress,
);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Whether an IP address is of this machine alone. */
export function isLoopback(ip: string): boolean {
  return isIP(ip) !== 0 && loopback.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
}

/** Whether only this machine reaches it, as far as the address says so. What a name stands for is checked when it is bound. */
export function isLocal(where: AdminAddress): boolean {
  return where.kind === 'unix' || where.host === 'localhost' || isLoopback(where.host);
}
