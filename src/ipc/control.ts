/**
 * The messages of the control socket, for both ends: one JSON object a line. `docs/control.md` describes it for other programs.
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';

/** Raised when an old client would misunderstand an answer. */
export const controlVersion = 1;
/** The most bytes of a line to the master. Its answers may be longer. */
export const maxOrderBytes = 64 * 1024;
/** The longest that a profile may take. */
export const maxSeconds = 300;

/** What a client may ask for. */
export type ControlOrder =
  | { readonly command: 'status' }
  | { readonly command: 'requests' }
  /** Asks for the counters. */
  | { readonly command: 'counters' }
  /** `wait`: answered when the reload has ended. */
  | { readonly command: 'reload'; readonly wait?: boolean }
  /** Answered at once. The connection ends with the master. */
  | { readonly command: 'stop' }
  | { readonly command: 'scale'; readonly workers: number }
  | { readonly command: 'log-level'; readonly level: Settings['logLevel'] }
  /** Without a pid: of all workers. */
  | { readonly command: 'stacks'; readonly pid?: number }
  | { readonly command: 'profile'; readonly pid?: number; readonly seconds: number }
  | { readonly command: 'heap'; readonly pid: number; readonly seconds: number }
  /** The worker finishes its requests, writes its heap to a file, and is replaced. */
  | { readonly command: 'snapshot'; readonly pid: number }
  /** Ends a worker without asking it. */
  | { readonly command: 'kill'; readonly pid: number };

/** The `id` is the order's: each order is sent with one, and with `controlVersion` as `version`. */
export type ControlAnswer = { readonly version: number; readonly id: number } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: string }
);

const directoryName = 'tsgun';

/** Where the sockets of a user's masters are, named by the pid: in the first, or in another one if variables differed. */
export function controlDirectories(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.() ?? 0): string[] {
  const runtime = env.XDG_RUNTIME_DIR;
  const own = runtime?.startsWith('/') ? [join(runtime, directoryName)] : [];
  return [...own, join(tmpdir(), `${directoryName}-${uid}`)];
}

export const socketName = (pid: number) => `${pid}.sock`;

/** The pid in a socket's name, if it is one. */
export function pidOfSocket(name: string): number | undefined {
  const [, digits] = /^([1-9]\d{0,9})\.sock$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
