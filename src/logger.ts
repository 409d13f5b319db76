/**
 * The error log: one line per event of a process's life. JSON lines by pino, or a line for people on a terminal.
 * Writes are synchronous: a line about a dying process must not die with it.
 */

import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { prettyStream } from './pretty.ts';

/** Every line about a process's life carries one of these as `event`. */
export type LifeEvent =
  | 'master_started'
  | 'listening'
  | 'worker_spawned'
  | 'worker_ready'
  | 'worker_exited'
  | 'worker_hung'
  | 'worker_recycled'
  | 'spawn_delayed'
  | 'scaled'
  | 'reload_started'
  | 'reload_finished'
  | 'reload_failed'
  | 'request_timeout'
  | 'request_failed'
  | 'shutdown_started'
  | 'shutdown_finished';

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export type Fields = Readonly<Record<string, unknown>>;

export interface Logger {
  /** An event of a process's life. */
  event(level: Level, event: LifeEvent, fields: Fields, message: string): void;
  /** Anything else. */
  say(level: Level, fields: Fields, message: string): void;
  /**
   * Opens the file anew, where it is one: what was moved away is let go.
   * @throws the system's error when that fails; then the old one is written on
   */
  reopen(): void;
}

export interface LogSettings {
  readonly errorLogfile: string;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  /** gunicorn's names for levels are taken too. */
  readonly logLevel: Level | 'warning' | 'critical';
}

const require = createRequire(import.meta.url);

const levelNames = { warning: 'warn', critical: 'fatal' } as const;

/** @throws the system's error when the file cannot be opened */
export function createLogger(settings: LogSettings): Logger {
  // Loaded here, not with this file: it takes as much memory as a seventh of an idle worker, which has nothing to log.
  const { pino } = require('pino') as typeof import('pino');
  const toStderr = settings.errorLogfile === '-';
  const destination = pino.destination({ dest: toStderr ? 2 : settings.errorLogfile, sync: true, mkdir: false });
  const isPretty =
    settings.logFormat === 'pretty' || (settings.logFormat === 'auto' && toStderr && process.stderr.isTTY);
  const level = settings.logLevel;
  const log = pino(
    {
      level: level === 'warning' || level === 'critical' ? levelNames[level] : level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    isPretty ? prettyStream(destination, toStderr && process.stderr.hasColors?.() === true) : destination,
  );
  // An error without a listener would end the process.
  destination.on('error', (error: Error) => process.stderr.write(`error log: ${error.message}\n`));
  return {
    // A line is about the process that writes it, unless it names another.
    event: (level, event, fields, message) => log[level]({ event, pid: process.pid, ...fields }, message),
    say: (level, fields, message) => log[level]({ pid: process.pid, ...fields }, message),
    reopen: () => {
      if (toStderr) return;
      // A try first: after a reopening that failed, the next one would close the old descriptor twice.
      closeSync(openSync(settings.errorLogfile, 'a'));
      destination.reopen();
    },
  };
}

/** A logger that is made when it is first used. Only for standard error: a file is opened while it may be. */
export function createLazyLogger(settings: LogSettings): Logger {
  if (settings.errorLogfile !== '-') return createLogger(settings);
  let made: Logger | undefined;
  const log = () => (made ??= createLogger(settings));
  return {
    event: (level, event, fields, message) => log().event(level, event, fields, message),
    say: (level, fields, message) => log().say(level, fields, message),
    reopen: () => {},
  };
}
