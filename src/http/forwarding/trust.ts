/** Which peers are believed. Peers on unix sockets always are: the file's mode decides who may connect. */

import { BlockList, isIP } from 'node:net';

/** A proxy's connections share its address, but clients can have any. So the cache has a bound. */
const maxKept = 1024;

export class Trusted {
  /** Whether all peers are believed. */
  readonly isAll: boolean;
  /** One list per family: in a single one, a network such as ::/0 would contain IPv4 addresses too. */
  private readonly lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  /** A search of the list takes 3 µs. */
  private readonly known = new Map<string, boolean>();

  /** @param networks addresses, networks by prefix (`10.0.0.0/8`), or `*` */
  constructor(networks: readonly string[]) {
    this.isAll = networks.includes('*');
    for (const network of networks) if (network !== '*') this.add(network);
  }

  private add(network: string): void {
    const [address = '', prefix] = network.split('/');
    const plain = withoutMapping(address);
    const bits = plain === address ? Number(prefix) : Number(prefix) - 96;
    const isWhole = prefix === undefined || bits >= 0;
    const [net, length] = isWhole ? [plain, bits] : [address, Number(prefix)];
    if (prefix === undefined) this.lists[familyOf(net)].addAddress(net, familyOf(net));
    else this.lists[familyOf(net)].addSubnet(net, length, familyOf(net));
  }

  /** @param address as Node gives it; empty for a peer on a unix socket */
  has(address: string): boolean {
    if (this.isAll || address === '') return true;
    const known = this.known.get(address);
    if (known !== undefined) return known;
    if (this.known.size >= maxKept) this.known.clear();
    const isIn = this.check(withoutMapping(address));
    this.known.set(address, isIn);
    return isIn;
  }

  private check(address: string): boolean {
    const zone = address.indexOf('%');
    const plain = zone === -1 ? address : address.slice(0, zone);
    return isIP(plain) !== 0 && this.lists[familyOf(plain)].check(plain, familyOf(plain));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** Reads `::ffff:192.0.2.1`, as a socket for both families names an IPv4 peer, as `192.0.2.1` (RFC 4291 §2.5.5.2). */
export function withoutMapping(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const [upper, lower] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${upper >> 8}.${upper & 255}.${lower >> 8}.${lower & 255}`;
}
