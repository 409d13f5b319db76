/**
 * The error log: one line per event of a process's life, as JSON, or made readable on a terminal. A line goes out at
 * once if it can: a line about a dying process must not die with it. It never blocks: see `log/sink.ts`.
 */

import { report } from './errors.ts';
import type { Level } from './log/event.ts';
import type { LifeEvent } from './log/events.ts';
import { formatLine } from './log/line.ts';
import { outputSink } from './log/output.ts';
import { renderPretty } from './log/pretty.ts';
import { type Dropped, Sink } from './log/sink.ts';
import { openFile } from './log/target.ts';

export type { Level, LifeEvent };
export type Fields = Readonly<Record<string, unknown>>;

export interface Logger {
  /**
   * An event of a process's life.
   * @param screen on a terminal, this text is shown in place of the line; where it is empty, nothing
   */
  event(level: Level, event: LifeEvent, fields: Fields, message: string, screen?: string): void;
  /** Anything else. */
  say(level: Level, fields: Fields, message: string): void;
  /**
   * Reopens the file, if the log is one, and closes the one that was moved away.
   * @throws the system's error when that fails; then the old file stays in use
   */
  reopen(): void;
}

/** Takes the log's lines in place of standard error or a file. Those of pino, bunyan and the console are of this form. */
export interface LogTarget {
  trace?(fields: Fields, message: string): void;
  debug?(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  /** If it is missing, `error` is called. */
  fatal?(fields: Fields, message: string): void;
}

/** A log that its process may redirect and close. */
export interface OwnLogger extends Logger {
  /** Whether its lines go to standard error now. */
  readonly isOnStderr: boolean;
  /** The least level from now on. */
  setLevel(level: LogSettings['logLevel']): void;
  /** From now on lines go to a program's own logger, from `logLevel` up. */
  passTo(target: LogTarget): void;
  /** Closes the file. A later line opens it again. */
  close(): void;
}

export interface LogSettings {
  readonly errorLogfile: string;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  /** gunicorn's names for levels are taken too. */
  readonly logLevel: Level | 'warning' | 'critical';
}

const levels: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const otherNames = { warning: 'warn', critical: 'fatal' } as const;

function rankOf(level: LogSettings['logLevel']): number {
  return levels.indexOf(level === 'warning' || level === 'critical' ? otherNames[level] : level);
}

/** @throws the system's error when the file cannot be opened */
export function createLogger(settings: LogSettings, target?: LogTarget): OwnLogger {
  const { errorLogfile } = settings;
  if (errorLogfile !== '-') {
    const sink = openSink(settings, target === undefined);
    const log = makeLogger(settings, sink, target);
    sink.onDropped = (dropped) => logDropped(log, errorLogfile, dropped);
    return log;
  }
  const sink = outputSink('stderr');
  const log = makeLogger(settings, sink, target);
  // There is one of these in a process: what `logOutput` has said of it stays.
  sink.onDropped ??= (dropped) => logDropped(log, 'stderr', dropped);
  return log;
}

function makeLogger(settings: LogSettings, sink: Sink, target: LogTarget | undefined): OwnLogger {
  const { errorLogfile, logFormat, logLevel } = settings;
  const toStderr = errorLogfile === '-';
  let passedTo = target;
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && toStderr && process.stderr.isTTY);
  const isColoured = isPretty && toStderr && process.stderr.hasColors?.() === true;
  let least = rankOf(logLevel);
  const isTerminal = isPretty && toStderr && process.stderr.isTTY;
  const write = (level: Level, fields: Fields, message: string, screen?: string) => {
    if (levels.indexOf(level) < least) return;
    if (passedTo !== undefined && passOn(passedTo, settings, level, fields, message)) return;
    if (isTerminal && screen !== undefined) return screen === '' ? undefined : sink.write(screen, level === 'fatal');
    const json = formatLine(level, fields, message);
    const text = isPretty ? renderPretty(json, isColoured) : json;
    if (text !== undefined) sink.write(text, level === 'fatal');
  };
  return {
    get isOnStderr() {
      return toStderr && passedTo === undefined;
    },
    // A line has the pid of its writer, unless it names another.
    event: (level, event, fields, message, screen) =>
      write(level, { event, pid: process.pid, ...fields }, message, screen),
    say: (level, fields, message) => write(level, { pid: process.pid, ...fields }, message),
    reopen: () => {
      if (!toStderr) sink.reopen();
    },
    setLevel: (level) => {
      least = rankOf(level);
    },
    passTo: (target) => {
      passedTo = target;
    },
    close: () => {
      if (!toStderr) sink.close();
    },
  };
}

/** A program's logger may fail: then the line goes where it would have gone without that logger. */
function passOn(target: LogTarget, settings: LogSettings, level: Level, fields: Fields, message: string): boolean {
  try {
    if (level === 'trace' || level === 'debug') target[level]?.(fields, message);
    else if (level === 'fatal' && target.fatal !== undefined) target.fatal(fields, message);
    else target[level === 'fatal' ? 'error' : level](fields, message);
    return true;
  } catch (error) {
    const failure = { error: report(error).message };
    sayOnStandardError(settings, 'error', failure, 'the logger failed; its line is written in its place');
    return false;
  }
}

function openSink(settings: LogSettings, isUsed: boolean): Sink {
  const path = settings.errorLogfile;
  const sink = new Sink({ open: () => openFile(path) });
  if (isUsed) sink.reopen();
  sink.onFailure = (error) => {
    const fields = { file: path, error: report(error).message };
    sayOnStandardError(settings, 'error', fields, `the error log cannot be written: ${waiting}`);
  };
  return sink;
}

/** Reports a fault of the log itself on standard error too, as nobody may read that log any more. */
export function sayOfLog(log: Logger, settings: LogSettings, level: Level, fields: Fields, message: string): void {
  log.say(level, fields, message);
  if (settings.errorLogfile !== '-') sayOnStandardError(settings, level, fields, message);
}

/** Writes one line. Whoever is called for faults of standard error stays the same. */
export function sayOnStandardError(settings: LogSettings, level: Level, fields: Fields, message: string): void {
  makeLogger({ ...settings, errorLogfile: '-' }, outputSink('stderr'), undefined).say(level, fields, message);
}

/** From now on the log reports what this process prints in vain. @param log the present one: a reload may bring another */
export function logOutput(log: () => OwnLogger): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const sink = outputSink(name);
    sink.onDropped = (dropped) => logDropped(log(), name, dropped);
    sink.onFailure = (error) => {
      // What cannot be written cannot say so.
      if (name === 'stderr' && log().isOnStderr) return;
      log().say('warn', { stream: name, error: report(error).message }, `${name} cannot be written: ${waiting}`);
    };
  }
}

const waiting = 'what is written waits in memory, and beyond a limit it is dropped';

/** The report that stands in the place of missing lines. */
function logDropped(log: Logger, stream: string, { lines, bytes }: Dropped): void {
  log.event('warn', 'log_dropped', { stream, dropped: lines, droppedBytes: bytes }, `${lines} lines were dropped`);
}
