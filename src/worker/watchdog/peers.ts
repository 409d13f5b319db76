/**
 * The other ends of TCP connections, by descriptor. Only the main thread could ask the kernel for them, and it hangs; but Linux
 * lists them in /proc/self/net/tcp. Elsewhere they stay unknown.
 */

import { readFileSync } from 'node:fs';
import { inodeOf, queueFiles } from '../../ipc/accept-queue.ts';

export interface Peer {
  readonly address: string;
  readonly port: string;
}

export function peersOf(descriptors: readonly number[]): Map<number, Peer> {
  const byInode = new Map<number, number>();
  for (const fd of descriptors) {
    const inode = inodeOf(fd);
    if (inode !== undefined) byInode.set(inode, fd);
  }
  const peers = new Map<number, Peer>();
  for (const file of queueFiles)
    for (const [inode, peer] of parsePeers(textOf(file), byInode)) peers.set(byInode.get(inode)!, peer);
  return peers;
}

/** @param wanted by inode: the file may list a hundred thousand others */
export function parsePeers(text: string, wanted: { has(inode: number): boolean }): Map<number, Peer> {
  const peers = new Map<number, Peer>();
  for (const line of text.split('\n').slice(1)) {
    // Number, local and remote address, state, queues, timer, retries, user, timeout, inode.
    const [, , remote, , , , , , , inode] = line.trim().split(/ +/);
    if (inode === undefined || !wanted.has(Number(inode))) continue;
    const [address = '', port = ''] = remote!.split(':');
    peers.set(Number(inode), { address: addressOf(address), port: String(Number.parseInt(port, 16)) });
  }
  return peers;
}

/** @param hex words of 32 bits in the byte order of the machine, which is the little-endian one wherever Node runs on Linux but s390x */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // As Node writes an IPv4 peer of a socket for both families.
  if (groups.slice(0, 6).join() === '0,0,0,0,0,ffff') return `::ffff:${bytes.subarray(12).join('.')}`;
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
