/**
 * The errors that end a start-up or refuse a configuration. Each carries its consequence: the exit code.
 * Errors that answer a request are in `http/errors.ts`.
 */

/** Exit codes of the command, as users' supervisors see them. */
export const ExitCode = { ok: 0, config: 1, boot: 3, appLoad: 4 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An error whose message is for the user: it names the value and the remedy, and needs no stack. */
export abstract class TsgunError extends Error {
  abstract readonly exitCode: ExitCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** A setting, a config file or an address that cannot be used. */
export class ConfigError extends TsgunError {
  readonly exitCode = ExitCode.config;
}

/** A worker that cannot come up, for a reason other than the app's code. */
export class BootError extends TsgunError {
  readonly exitCode = ExitCode.boot;
}

/** The app's file or export cannot be loaded; `cause` is the app's own error where it threw one. */
export class AppLoadError extends TsgunError {
  readonly exitCode = ExitCode.appLoad;
}

/** What is left of an error after a trip between processes. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly exitCode?: ExitCode;
}

/** Describes anything thrown, also what throws when it is looked at. */
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
  if (error instanceof Error) {
    // A stack can be anything by the time an app has had its hands on it.
    const stack = typeof error.stack === 'string' && error.stack !== '' ? error.stack : String(error);
    return { name: String(error.name), message: String(error.message), stack };
  }
  return { name: 'Error', message: `thrown: ${describe(error)}` };
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

const bindRemedies: Record<string, string> = {
  EADDRINUSE: 'is in use by another process: stop that one, or take another port with --bind',
  EACCES: 'may not be bound by this user: take a port above 1023 with --bind, or start with the right to bind it',
  EADDRNOTAVAIL: 'is not an address of this machine: bind 0.0.0.0 or [::] for all of its addresses',
};

/** An address that cannot be bound, found by the master or, when another took it meanwhile, by a worker. */
export function bindError(address: string, code: string): ConfigError {
  return new ConfigError(`bind: ${address} ${bindRemedies[code] ?? 'cannot be bound'} (${code})`);
}
