/** What a line of the access log is made of: a request that has ended, or a raw connection. */

import type { Ends } from '../../http/ends.ts';
import type { Field } from '../../http/h1/writer.ts';
import type { RequestHead } from '../../http/head.ts';
import type { Lines } from './lines.ts';

export interface Entry {
  /** Undefined for a raw connection. */
  readonly head: RequestHead | undefined;
  readonly outcome: string;
  readonly status: number | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** As `performance.now()` says it. */
  readonly endedAt: number;
  readonly durationMs: number;
  readonly queueMs: number | undefined;
  readonly cpuMs: number | undefined;
  readonly ends: Ends;
  /** Looked at only where a format asks for its fields: they may have to be read from the answer. */
  readonly answer: { readonly responseFields: readonly Field[] };
}

/** Writes what it knows of an entry, escaped. */
export type Writer = (entry: Entry, lines: Lines) => void;

/** The same for all lines of a process. */
export interface Origin {
  readonly pid: number;
  /** Undefined for a server that is embedded. */
  readonly worker: number | undefined;
  readonly class: string | undefined;
  /** In lower case. */
  readonly requestIdHeader: string;
}

/** The first field of that name (in lower case). Its text is latin1. */
export function requestField({ head }: Entry, lower: string): string | undefined {
  if (head === undefined) return undefined;
  const { names, values } = head;
  for (let index = 0; index < names.length; index++) if (names[index]!.lower === lower) return values[index];
  return undefined;
}

export function responseField({ answer }: Entry, lower: string): string | undefined {
  return answer.responseFields.find(([name]) => name.toLowerCase() === lower)?.[1];
}

export function methodOf({ head }: Entry): string {
  return head?.method ?? 'TCP';
}

export function pathOf({ head, ends }: Entry): string {
  return head?.path ?? `${ends.remote.address}:${ends.remote.port}`;
}

export function protocolOf({ head }: Entry): string {
  return head === undefined ? 'TCP' : `HTTP/${head.version}`;
}
