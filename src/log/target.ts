/**
 * Descriptors whose writes do not block. `O_NONBLOCK` belongs to the open file description, which other processes share:
 * set there, `cat` and shells at the other end of the same terminal would fail. So pipes and terminals are opened anew.
 */

import { type BigIntStats, constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { keepNonBlocking } from '../node/non-blocking.ts';

export interface Target {
  readonly fd: number;
  /** Whether it was opened here, and must be closed here. */
  readonly isOwn: boolean;
  /** Whether a write of a few lines may be taken in part. */
  readonly isPipe: boolean;
  /** To be called before each write. */
  readonly prepare?: () => void;
}

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;

/**
 * Asked for with `bigint`, because Node keeps those results in an array of their own. Its `realpathSync` also looks at the other
 * array. If the last `fstat` in there was of a pipe, it does not resolve links in a module's path, and that module is loaded
 * twice.
 */
function kindOf(fd: number): BigIntStats {
  return fstatSync(fd, { bigint: true });
}

/** @throws the system's error; ENXIO for a FIFO that nobody reads */
export function openFile(path: string): Target {
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o666);
  return { fd, isOwn: true, isPipe: kindOf(fd).isFIFO() };
}

/** Opens what a standard descriptor refers to. @throws the system's error if nobody can read it now */
export function openStandard(fd: 1 | 2): Target {
  const kind = kindOf(fd);
  const isPipe = kind.isFIFO();
  const isTerminal = isatty(fd);
  // Writes to files and devices like /dev/null never block.
  if (!isPipe && !isTerminal && !kind.isSocket()) return { fd, isOwn: false, isPipe: false };
  if (!kind.isSocket()) {
    try {
      return { fd: openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY), isOwn: true, isPipe };
    } catch (error) {
      if (['ENXIO', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      // It belongs to another user, or the system has no /proc.
    }
  }
  if (isTerminal) return { fd, isOwn: false, isPipe };
  // A socket, such as that of a service manager, cannot be opened again.
  return { fd, isOwn: false, isPipe, prepare: keepNonBlocking(fd === 1 ? process.stdout : process.stderr) };
}
