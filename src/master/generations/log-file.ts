/** The error log's file as the master keeps it: opened once for all generations that name it, anew when it is moved away. */

import { closeSync, constants, fchownSync, openSync } from 'node:fs';
import type { Configuration } from '../../config/load.ts';
import { ConfigError, report, unwritable } from '../../errors.ts';
import type { Identity } from '../../ipc/order.ts';
import { createLogger, type OwnLogger, sayOfLog, sayOnStandardError } from '../../logger.ts';

/** An owner of a log. */
interface Logging {
  readonly configuration: Configuration;
  readonly identity: Identity | undefined;
  readonly log: OwnLogger;
}

/** @throws ConfigError; at a reload, the error goes to standard error too */
export function openLog(
  { settings, origins, hooks }: Configuration,
  identity: Identity | undefined,
  others: readonly Logging[],
): OwnLogger {
  const names = ['errorLogfile', 'logFormat', 'logLevel'] as const;
  const twin = others.find(
    ({ configuration }) =>
      configuration.hooks.logger === hooks.logger &&
      names.every((name) => configuration.settings[name] === settings[name]),
  );
  try {
    if (identity !== undefined && settings.errorLogfile !== '-') createFor(identity, settings.errorLogfile);
    checkAccessLog(settings.accessLogfile, identity, origins.accessLogfile);
    twin?.log.reopen();
    return twin?.log ?? createLogger(settings, hooks.logger);
  } catch (error) {
    const refusal =
      error instanceof ConfigError
        ? error
        : unwritable('errorLogfile', settings.errorLogfile, error, origins.errorLogfile);
    if (others.length > 0) sayOnStandardError(settings, 'error', {}, `reload given up: ${refusal.message}`);
    throw refusal;
  }
}

/** Makes the file again after it was moved away, for the workers too. */
export function reopenLog({ configuration: { settings }, identity, log }: Logging): void {
  const { errorLogfile, accessLogfile } = settings;
  try {
    if (identity !== undefined && accessLogfile !== undefined && accessLogfile !== '-')
      createFor(identity, accessLogfile);
    if (identity !== undefined && errorLogfile !== '-') createFor(identity, errorLogfile);
    log.reopen();
  } catch (error) {
    const fields = { error: report(error).message };
    sayOfLog(log, settings, 'error', fields, 'the log file cannot be reopened: the old one stays in use');
  }
}

/** The workers write it; the master only makes sure that it can be written. @throws ConfigError */
function checkAccessLog(path: string | undefined, identity: Identity | undefined, origin: string): void {
  if (path === undefined || path === '-') return;
  try {
    if (identity !== undefined) createFor(identity, path);
    closeSync(
      openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o666),
    );
  } catch (error) {
    // A pipe that nobody reads yet.
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return;
    throw unwritable('accessLogfile', path, error, origin);
  }
}

/**
 * A new log file is the workers', so that they can open it again when it has been rotated. One that is there stays whose it
 * is: whoever may write to its folder could have put a link there, to a file that root would then give away.
 */
function createFor({ gid, user }: Identity, path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'ax');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  fchownSync(fd, user?.uid ?? -1, gid);
  closeSync(fd);
}
