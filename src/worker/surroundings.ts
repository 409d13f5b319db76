/** What a program in a worker or a thread knows of its surroundings: where it listens, and the variables that say so. */

import type { HandlerOptions } from '../app/handler.ts';
import type { Bound, Own } from '../app/server-files/choice.ts';
import { limitMs } from '../config/durations.ts';
import { type Address, address } from '../config/values/addresses.ts';
import { isTls } from '../config/values/tls.ts';
import type { WorkerOrder } from '../ipc/order.ts';
import type { ServerAddress } from '../node/listen.ts';
import { longBootMs } from './boot-waits.ts';
import { fixedLimits } from './fixed-limits.ts';

/** Sent to threads, so it is plain data. */
export interface ProgramSurroundings {
  readonly own: Own;
  readonly address: ServerAddress;
  /** Whether all addresses use TLS, and whether any speaks HTTP/2. */
  readonly isTls: boolean;
  readonly isHttp2: boolean;
  /** Time by which the app must have loaded, in milliseconds since 1970: a little before the master's own deadline. */
  readonly deadline: number;
  /** After this time, a step that the boot waits for is worth a log line. */
  readonly longBootMs: number;
  readonly generation: number;
  /** What the app cannot set on its own server. */
  readonly fixed: HandlerOptions['fixed'];
}

/** Sets `PORT` and `HOST` to the first TCP address, if the user has not set them. */
export function prepareSurroundings({
  sockets,
  settings,
  generation,
  chosen,
}: Pick<WorkerOrder, 'sockets' | 'settings' | 'generation' | 'chosen'>): ProgramSurroundings {
  // A worker that only checks has no sockets.
  const listed = sockets.length > 0 ? sockets.map((socket) => address(socket.address)) : settings.bind;
  const bound = listed.map(boundAt);
  const first = bound.find(({ port }) => port !== undefined);
  if (first !== undefined) {
    process.env.PORT ??= String(first.port);
    process.env.HOST ??= first.host;
  }
  const tls = listed.map((_, index) => sockets[index]?.isTls ?? isTls(settings, index));
  const bootMs = limitMs(settings.bootTimeout);
  return {
    own: { bound, port: process.env.PORT },
    address: addressOf(first ?? bound[0]),
    isTls: tls.every((is) => is),
    isHttp2: settings.http.includes('h2')
      ? tls.some((is) => is) || settings.http.includes('h2c')
      : settings.http.includes('h2c'),
    generation,
    fixed: fixedLimits(chosen, settings.workerClass),
    longBootMs: longBootMs(settings),
    deadline: performance.timeOrigin + bootMs - Math.min(bootMs / 5, 500),
  };
}

function boundAt(where: Address): Bound {
  if (where.kind === 'tcp') return { host: where.host, port: where.port };
  return where.kind === 'unix' ? { path: where.path } : {};
}

/** An address, not a name. `net.isIPv6` would compile its expression for it, which takes 5 ms. */
function addressOf({ host = '127.0.0.1', port = 0, path }: Bound = {}): ServerAddress {
  return path ?? { address: host, family: host.includes(':') ? 'IPv6' : 'IPv4', port };
}
