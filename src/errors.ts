/**
 * The errors that end a start-up or refuse a configuration. Each carries its consequence: the exit code.
 * Errors that answer a request are in `http/errors.ts`.
 */

import { types } from 'node:util';

/** Exit codes of the command, for supervisors. */
export const ExitCode = { ok: 0, config: 1, boot: 3, appLoad: 4 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An error whose message is for the user: it names the value and the remedy, and needs no stack. */
export abstract class TsgunError extends Error {
  abstract readonly exitCode: ExitCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** Settings, a config file or an address that cannot be used. */
export class ConfigError extends TsgunError {
  readonly exitCode = ExitCode.config;
  /** Every problem, each in a sentence of its own; the message has one per line. */
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.join('\n'), options);
    this.problems = list;
  }
}

/** An address on which another process listens. That process may end, so a retry makes sense. */
export class AddressInUse extends ConfigError {
  readonly address: string;

  constructor(address: string, message: string) {
    super(message);
    this.address = address;
  }

  override get name(): string {
    return 'ConfigError';
  }
}

/** A worker that cannot boot, for a reason other than the app's code. */
export class BootError extends TsgunError {
  readonly exitCode = ExitCode.boot;
}

/** For tsgun's own files: after a long run they may be replaced, moved, or another user's. */
export function ownFilesError(error: unknown): BootError {
  const remedy = 'have they been replaced? USR2 starts a new master, of what is installed now, beside this one';
  return new BootError(`tsgun's own files cannot be loaded: ${report(error).message}: ${remedy}`, { cause: error });
}

/** The app's file or export cannot be loaded; `cause` is the app's own error where it threw one. */
export class AppLoadError extends TsgunError {
  readonly exitCode = ExitCode.appLoad;
}

/** Turns a worker's error into one of this process, with the same consequence. */
export function revive({ message, stack, exitCode }: ErrorReport): TsgunError {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  const options = cause === undefined ? {} : { cause };
  if (exitCode === ExitCode.config) return new ConfigError(message, options);
  return exitCode === ExitCode.appLoad ? new AppLoadError(message, options) : new BootError(message, options);
}

/** What is left of an error after a trip between processes. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  /** Ends with the causes, each indented below what it caused. */
  readonly stack?: string;
  /** Node's, such as `ECONNRESET`. */
  readonly code?: string;
  readonly exitCode?: ExitCode;
}

/** The outcome of a call of `run`: its result, or what it threw. */
export type RunOutcome = { readonly result: unknown } | { readonly error: ErrorReport };

/** Describes anything thrown, even if reading its properties throws. */
export function report(error: unknown): ErrorReport {
  try {
    return reportOf(error);
  } catch {
    return { name: 'Error', message: 'thrown: an object that cannot be described' };
  }
}

/** Our own errors need no stack, so their cause's stack is taken instead. */
function reportOf(error: unknown): ErrorReport {
  if (error instanceof TsgunError) {
    const { name, message, exitCode, cause } = error;
    const stack = cause === undefined ? undefined : report(cause).stack;
    return { name, message, exitCode, ...(stack === undefined ? {} : { stack }) };
  }
  if (!isError(error)) return { name: 'Error', message: `thrown: ${describe(error)}` };
  const code = read(error, 'code');
  const fields = { name: String(error.name), message: messageOf(error), stack: stackWithCauses(error) };
  return typeof code === 'string' ? { ...fields, code } : fields;
}

/** Recognises errors of another realm (`node:vm`) too, which `instanceof` misses. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** If a name has several addresses, `net.connect` fails with an AggregateError that has no message. */
function messageOf(error: Error): string {
  const message = String(error.message);
  const errors = read(error, 'errors');
  if (message !== '' || !Array.isArray(errors)) return message;
  return errors
    .slice(0, maxCauses)
    .map((each) => (isError(each) ? String(each.message) : describe(each)))
    .join('; ');
}

/** Errors may refer to each other in circles, and an AggregateError may hold any number. */
const maxCauses = 16;
const maxCauseDepth = 8;

/** In the form of `util.inspect`, but without the other properties: a client library keeps its request there, secrets included. */
function stackWithCauses(outermost: Error): string {
  const seen = new Set<unknown>();
  const render = (error: unknown, depth: number): string => {
    if (!isError(error)) return describe(error);
    if (seen.has(error)) return `${String(error)} [see above]`;
    seen.add(error);
    let text = stackOf(error);
    for (const [label, cause] of causesOf(error)) {
      const isTooMuch = depth === maxCauseDepth || seen.size > maxCauses;
      text += `\n  [${label}]: ${isTooMuch ? '...' : safely(() => render(cause, depth + 1)).replaceAll('\n', '\n  ')}`;
      if (isTooMuch) break;
    }
    return text;
  };
  return render(outermost, 0);
}

/** What `cause`, an AggregateError (`errors`) and a SuppressedError (`error`, `suppressed`) say of an error's origin. */
function causesOf(error: Error): [label: string, cause: unknown][] {
  const cause = read(error, 'cause');
  const errors = read(error, 'errors');
  const found: [string, unknown][] = cause === undefined ? [] : [['cause', cause]];
  // One more than is shown, to notice that there are more.
  if (Array.isArray(errors))
    for (const [index, each] of errors.slice(0, maxCauses + 1).entries()) found.push([`errors[${index}]`, each]);
  if (read(error, 'name') === 'SuppressedError')
    found.push(['error', read(error, 'error')], ['suppressed', read(error, 'suppressed')]);
  return found;
}

/** In the addresses of modules that were loaded again (`typescript/hooks.ts`): no editor opens a file of that name. */
const againMarks = /\?again=[\d.]+/g;

/** An app may have set a stack to anything. */
function stackOf(error: Error): string {
  const stack = read(error, 'stack');
  return typeof stack === 'string' && stack !== '' ? stack.replace(againMarks, '') : String(error);
}

function safely(text: () => string): string {
  try {
    return text();
  } catch {
    return 'an object that cannot be described';
  }
}

/** An app may have put anything into a property. */
function read(error: Error, name: string): unknown {
  try {
    return Reflect.get(error, name);
  } catch {
    return undefined;
  }
}

/** A short, safe rendering of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = value.constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `an object of class ${name}`;
}

/** The error for a setting's file that cannot be written. */
export function unwritable(setting: string, path: string, error: unknown, origin?: string): ConfigError {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'its folder is not there',
    EACCES: 'this user may not write it',
    EISDIR: 'it is a directory',
  };
  const reason = reasons[code ?? ''] ?? report(error).message;
  const place = origin === undefined ? '' : ` (${origin})`;
  return new ConfigError(`${setting}: expected a file that can be written, got ${path}: ${reason}${place}`);
}

const bindRemedies: Record<string, string> = {
  EADDRINUSE: 'is in use by another process: stop that one, or take another port with --bind',
  EACCES: 'may not be bound by this user: take a port above 1023 with --bind, or start with the right to bind it',
  EADDRNOTAVAIL: 'is not an address of this machine: bind 0.0.0.0 or [::] for all of its addresses',
};

/** The error for an address that cannot be bound: the master finds it, or a worker if another process took it meanwhile. */
export function bindError(address: string, code: string): ConfigError {
  const message = `bind: ${address} ${bindRemedies[code] ?? 'cannot be bound'} (${code})`;
  return code === 'EADDRINUSE' ? new AddressInUse(address, message) : new ConfigError(message);
}
