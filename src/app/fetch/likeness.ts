/**
 * Reads objects that resemble a `Response`: one of another realm, such as a test's, or of a package with classes of its own
 * (undici, node-fetch, whatwg-node). They are recognised by their members.
 */

import { AppError } from '../../http/errors.ts';
import type { Field } from '../../http/h1/writer.ts';

/** The members that an answer needs. */
export interface ResponseLike {
  readonly status: number;
  readonly statusText?: unknown;
  readonly headers: object;
  readonly body?: unknown;
}

/** Reads a body piece by piece. */
export interface PieceReader {
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** The rest is not needed. */
  cancel(reason: unknown): void;
}

interface Iterates {
  [Symbol.asyncIterator](): AsyncIterator<unknown>;
}

export function isResponseLike(value: unknown): value is ResponseLike {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers } = value as Partial<ResponseLike>;
  return typeof status === 'number' && typeof headers === 'object' && headers !== null;
}

/** Several `Set-Cookie` become several fields, even if the class joins them. */
export function fieldsOf(headers: object): Field[] {
  const { getSetCookie, raw } = headers as { getSetCookie?: () => string[]; raw?: () => Record<string, string[]> };
  // node-fetch: its iterator joins them by commas, which dates contain too.
  if (typeof getSetCookie !== 'function' && typeof raw === 'function') return pairsOf(raw.call(headers));
  if (Symbol.iterator in headers) return [...(headers as Iterable<[string, string]>)];
  return pairsOf(headers);
}

function pairsOf(headers: object): Field[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    Array.isArray(values) ? values.map((value): Field => [name, String(value)]) : [[name, String(values)] as const],
  );
}

/** @returns the whole body if it is in memory, or a reader @throws AppError if it is no body */
export function bodyOf(response: ResponseLike): string | Uint8Array | PieceReader {
  const { body } = response;
  if (body === undefined || body === null) return '';
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (typeof (body as Partial<ReadableStream>).getReader === 'function') return streamReader(body as ReadableStream);
  if (typeof (body as Partial<Iterates>)[Symbol.asyncIterator] === 'function') return iteratorReader(body as Iterates);
  const { arrayBuffer } = response as Partial<Response>;
  if (typeof arrayBuffer === 'function') return wholeReader(() => arrayBuffer.call(response));
  throw new AppError(`a Response's body is a text, bytes or a stream, got ${typeof body}`);
}

export function streamReader(body: ReadableStream): PieceReader {
  const reader = body.getReader();
  return { read: () => reader.read(), cancel: (reason) => void reader.cancel(reason).catch(() => {}) };
}

/** Node's streams are iterators of this kind. */
function iteratorReader(body: Iterates): PieceReader {
  const iterator = body[Symbol.asyncIterator]();
  return {
    read: () => iterator.next(),
    cancel(reason) {
      const { destroy } = body as { destroy?: (error?: Error) => unknown };
      // `return()` of an iterator waits for the read that is under way, so the stream is destroyed.
      if (typeof destroy === 'function') destroy.call(body, reason instanceof Error ? reason : undefined);
      else void iterator.return?.()?.then(undefined, () => {});
    },
  };
}

function wholeReader(take: () => Promise<ArrayBuffer>): PieceReader {
  let isRead = false;
  return {
    async read() {
      if (isRead) return { done: true };
      isRead = true;
      return { value: new Uint8Array(await take()) };
    },
    cancel() {},
  };
}
