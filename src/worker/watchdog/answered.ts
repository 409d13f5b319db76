/** Says which requests the watchdog has answered, for the access log: from memory, as the main thread cannot be asked. */

import type { AnsweredRequest } from '../../ipc/messages.ts';
import { type Answered, sentBytes } from './answers.ts';
import { type Peer, peersOf } from './peers.ts';
import type { TableEntry } from './requests.ts';

type Known = Pick<AnsweredRequest, 'method' | 'path' | 'query' | 'minorVersion'>;

const unknown: Known = { method: '', path: '', query: '', minorVersion: 1 };
const requestLine = /^(?:\r\n)?([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^ ?\r\n]+)(?:\?([^ \r\n]*))? HTTP\/1\.([01])\r?\n/;

/** @param silentMs how long the main thread has read nothing */
export function describe(
  answered: readonly Answered[],
  entries: readonly TableEntry[],
  silentMs: number,
  findPeers: (descriptors: readonly number[]) => ReadonlyMap<number, Peer> = peersOf,
): AnsweredRequest[] {
  const running = new Map(entries.map((entry) => [entry.descriptor, entry]));
  const peers = findPeers(answered.map(({ fd }) => fd));
  return answered.map(({ fd, unread }) => {
    const entry = unread === '' ? running.get(fd) : undefined;
    const { address, port } = peers.get(fd) ?? { address: '', port: '' };
    const known = entry === undefined ? read(unread) : { ...unknown, method: entry.method, path: entry.path };
    return { ...known, ms: entry?.ms ?? silentMs, sentBytes, address, port };
  });
}

function read(unread: string): Known {
  const [, method, path, query = '', minor] = requestLine.exec(unread) ?? [];
  if (method === undefined || path === undefined) return unknown;
  return { method, path, query, minorVersion: minor === '0' ? 0 : 1 };
}
