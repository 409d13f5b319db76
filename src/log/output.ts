/**
 * Standard output and standard error of this process, for the error log and for all that the app prints: a full disk, a
 * closed pipe or a reader that stops costs lines only: no worker, and no time.
 */

import { leaveFlagsAtExit } from '../node/non-blocking.ts';
import { Sink } from './sink.ts';
import { openStandard } from './target.ts';

export type OutputName = 'stdout' | 'stderr';

const sinks = new Map<OutputName, Sink>();

/** There is one of each in a process, as there is one descriptor. */
export function outputSink(name: OutputName): Sink {
  let sink = sinks.get(name);
  if (sink === undefined) {
    sink = new Sink({ open: () => openStandard(name === 'stdout' ? 1 : 2) });
    sinks.set(name, sink);
  }
  return sink;
}

/**
 * From now on, all writes to `process.stdout` and `process.stderr`, by `console` and by threads too, go through the
 * sinks: they never block, never fail, and apply no back-pressure. Descriptors are opened now, while the process has
 * all its rights.
 */
export function takeOverOutput(): void {
  leaveFlagsAtExit();
  for (const name of ['stdout', 'stderr'] as const) {
    const sink = outputSink(name);
    try {
      redirect(process[name], sink);
      sink.reopen();
    } catch {
      // It is missing, or nobody reads it now: the next line tries again.
    }
  }
}

const redirected = new WeakSet<NodeJS.WriteStream>();

function redirect(stream: NodeJS.WriteStream, sink: Sink): void {
  if (redirected.has(stream)) return;
  redirected.add(stream);
  // Earlier writes may still fail.
  stream.on('error', () => {});
  // pino, too, writes to the stream then: see `ownThreadOutput`.
  stream.write = function (this: NodeJS.WriteStream, ...args: unknown[]): boolean {
    const [chunk, encoding] = args;
    const done = args.find((arg) => typeof arg === 'function');
    const bytes = toBytes(chunk, encoding);
    // Node reports what is wrong with it.
    if (bytes === undefined) return Reflect.apply(Object.getPrototypeOf(stream).write, this, args);
    sink.write(bytes);
    if (done !== undefined) process.nextTick(done);
    return true;
  } as typeof stream.write;
}

/**
 * In a thread, whose output the main thread writes. pino asks whether a stream's `write` is Node's own: only if it is not,
 * it writes to the stream, and not to the descriptor, which may block.
 */
export function ownThreadOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.write = stream.write.bind(stream);
}

function toBytes(chunk: unknown, encoding: unknown): Uint8Array | undefined {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  if (chunk instanceof Uint8Array) return chunk;
  return ArrayBuffer.isView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : undefined;
}
