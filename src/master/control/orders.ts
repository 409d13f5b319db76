/** Checks what a client sends: nothing is taken on trust. Pure. */

import { type ControlOrder, controlVersion, maxSeconds } from '../../ipc/control.ts';

const levels = ['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'critical'];
/** As with `--workers`. */
const maxWorkers = 1024;

type Check = (value: unknown) => string | undefined;

const wholeNumber =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `a whole number from ${least} to ${most}`;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
const seconds: Check = (value) =>
  typeof value === 'number' && value > 0 && value <= maxSeconds ? undefined : `a number of seconds up to ${maxSeconds}`;
const level: Check = (value) => (levels.includes(value as string) ? undefined : `one of ${levels.join(', ')}`);
const pid = wholeNumber(1, 2 ** 31);

const orders: Readonly<Record<ControlOrder['command'], Readonly<Record<string, Check>>>> = {
  status: {},
  requests: {},
  counters: {},
  reload: { wait: optional(flag) },
  stop: {},
  scale: { workers: wholeNumber(1, maxWorkers) },
  'log-level': { level },
  stacks: { pid: optional(pid) },
  profile: { pid: optional(pid), seconds },
  heap: { pid, seconds },
  snapshot: { pid },
  kill: { pid },
};

/** @throws Error that says what is wrong */
export function checkOrder(request: unknown): ControlOrder {
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    throw new Error('expected a JSON object on a line');
  const { version, command } = request as { version?: unknown; command?: unknown };
  if (version !== controlVersion)
    throw new Error(`this master speaks version ${controlVersion} of the protocol, got ${JSON.stringify(version)}`);
  if (typeof command !== 'string' || !Object.hasOwn(orders, command))
    throw new Error(`command: expected one of ${Object.keys(orders).join(', ')}, got ${JSON.stringify(command)}`);
  for (const [name, check] of Object.entries(orders[command as ControlOrder['command']])) {
    const value: unknown = Reflect.get(request, name);
    const expected = check(value);
    if (expected !== undefined) throw new Error(`${name}: expected ${expected}, got ${JSON.stringify(value)}`);
  }
  return request as ControlOrder;
}
