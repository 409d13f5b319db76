/**
 * libuv's streams, as Node shows them to its own code without documenting it, and the binding that goes with them: types, and
 * whether the binding can be had.
 */

import { internalsAreOff } from './switch.ts';

/** The owner of a handle: its callbacks for each read and each finished write. */
export interface WireOwner {
  takeWritten(request: WriteRequest, status: number): void;
  takeRead(): Uint8Array | undefined;
}

/** libuv's write request. Node 26 returns one; earlier versions take one and leave it unused by a synchronous write. */
export interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number) => void;
  wire?: WireOwner;
  bytes?: number;
  /** The memory that libuv reads until the write is done: kept from garbage collection. */
  held?: unknown;
  /** The object that waits until the write is done. */
  taken?: ((error?: Error) => void)[];
  /** Node 26: the outcome, if it is known before anything waits for it. */
  writeStatus?: number | null;
}
export interface ShutdownRequest {
  oncomplete?: (status: number) => void;
}
export type Written = number | WriteRequest;

/** libuv's stream, as Node shows it to its own code. */
export interface RawHandle {
  readonly fd: number;
  onread?: (this: RawHandle) => Uint8Array | undefined;
  wire?: WireOwner;
  readonly writeQueueSize: number;
  /** So far; undefined once it is closed. */
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readStart(): number;
  readStop(): number;
  useUserBuffer(bytes: Uint8Array): void;
  writeLatin1String(request: WriteRequest | null, text: string): Written;
  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): Written;
  writev(request: WriteRequest | null, chunks: readonly Uint8Array[], areAllBytes: true): Written;
  shutdown(request: ShutdownRequest): number;
  /** TCP only. */
  reset?(done: () => void): number;
  getAsyncId?(): number;
  close(done: () => void): void;
}

export interface Binding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kBytesWritten: number;
  readonly kLastWriteWasAsync: number;
  /** From Node 26 on. */
  readonly kLastWriteErr?: number;
}

/** @returns undefined if Node does not have it, or would warn of its use */
export function openBinding<B>(name: string): Partial<B> | undefined {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  // With this option, Node would print a warning for our use. It accepts both spellings.
  const isWarned = /--pending[-_]deprecation/.test(options) || process.env.NODE_PENDING_DEPRECATION === '1';
  if (internalsAreOff || isWarned) return undefined;
  try {
    return (process as unknown as { binding(name: string): Partial<B> }).binding(name);
  } catch {
    // Node's permission model forbids it.
    return undefined;
  }
}

/** @returns undefined as `openBinding` does, or if it is another than the one that is known here */
export function findBinding(): Binding | undefined {
  const found = openBinding<Binding>('stream_wrap');
  if (found === undefined) return undefined;
  const numbers = [found.kReadBytesOrError, found.kBytesWritten, found.kLastWriteWasAsync];
  const isKnown =
    found.streamBaseState instanceof Int32Array &&
    typeof found.WriteWrap === 'function' &&
    typeof found.ShutdownWrap === 'function' &&
    numbers.every((number) => typeof number === 'number');
  return isKnown ? (found as Binding) : undefined;
}
