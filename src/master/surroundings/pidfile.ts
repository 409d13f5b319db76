/**
 * The file with the master's process id. A reader finds either a whole number or no file; and a master touches
 * only its own file: the file of another running master is an error, a file that was left behind is replaced.
 */

import { chmodSync, closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { onExit } from 'signal-exit';
import { ConfigError, report, unwritable } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { isLiving } from '../living.ts';
import { isMaster } from './other-master.ts';

/** What follows the name while the master that this one is to replace still has the file. */
const besideSuffix = '.2';

export class Pidfile {
  /** The file that this process has written. */
  private held: string | undefined = undefined;
  /** That file's descriptor: by it, another master recognises this process as one. */
  private descriptor: number | undefined = undefined;
  /** Cancels the removal of the file at the end of this process, however that comes about; undefined while no file is held. */
  private letGo: (() => void) | undefined = undefined;
  /** Whether another master, which started this one, goes on beside it. */
  private isBeside: boolean;
  private readonly isMaster: typeof isMaster;

  constructor(isBeside = false, isMasterOf = isMaster) {
    this.isBeside = isBeside;
    this.isMaster = isMasterOf;
  }

  /** @throws ConfigError when the file of this setting belongs to another master */
  check(setting: string | undefined): void {
    if (setting !== undefined) this.inspect(this.nameOf(setting));
  }

  /**
   * Makes the file of this setting, and no other, name this process; an earlier one is removed.
   * @param setting absolute; undefined: no file is wanted
   * @throws ConfigError when it belongs to another master or cannot be written; then nothing has changed
   */
  hold(setting: string | undefined, log: Logger): void {
    const path = setting === undefined ? undefined : this.nameOf(setting);
    if (path !== undefined) this.claim(path, log);
    if (this.held !== path) this.release();
    this.held = path;
    if (path !== undefined) this.letGo ??= onExit(() => this.removeHeld());
    this.keepOpen(path);
  }

  /**
   * The master that this one was beside has left: `FILE.2` becomes `FILE`.
   * @throws ConfigError when `FILE` names a running process; then nothing has changed
   */
  promote(log: Logger): void {
    const { held } = this;
    if (!this.isBeside) return;
    const path = held?.slice(0, -besideSuffix.length);
    if (held !== undefined && path !== undefined) {
      this.inspect(path);
      renameSync(held, path);
    }
    this.isBeside = false;
    this.held = path;
    if (path !== undefined)
      log.say('info', { pidfile: path }, 'this is the only master now: the pidfile has its name without .2');
  }

  /** Removes the file if it still names this process. */
  release(): void {
    this.letGo?.();
    this.letGo = undefined;
    if (this.held !== undefined) this.removeHeld();
    this.held = undefined;
    this.keepOpen(undefined);
  }

  private removeHeld(): void {
    if (this.held !== undefined && readPid(this.held) === process.pid) rmSync(this.held, { force: true });
  }

  private claim(path: string, log: Logger): void {
    const found = this.inspect(path);
    if (found === 'ours') return;
    if (found === 'stale') log.say('warn', { pidfile: path }, 'the pidfile of a master that is gone is replaced');
    if (found === 'foreign')
      log.say(
        'warn',
        { pidfile: path },
        `the pidfile says process ${readPid(path)}, which is no tsgun: it is replaced`,
      );
    write(path);
  }

  /** @throws ConfigError when another master that runs holds the file */
  private inspect(path: string): 'absent' | 'ours' | 'stale' | 'foreign' {
    const pid = readPid(path);
    if (pid === undefined) return 'absent';
    // In a container, the master of the run before often had the same number.
    if (pid === process.pid) return 'ours';
    if (Number.isNaN(pid) || !isLiving(pid)) return 'stale';
    if (!this.isMaster(pid, path)) return 'foreign';
    const remedy = 'stop that one first, or remove the file if that is no tsgun';
    throw new ConfigError(`pidfile: ${path} says process ${pid}, which is running: ${remedy}`);
  }

  private keepOpen(path: string | undefined): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
    try {
      if (path !== undefined) this.descriptor = openSync(path, 'r');
    } catch {
      // Out of descriptors, or it has gone again. The title of the process says what it is, too.
    }
  }

  private nameOf(setting: string): string {
    return this.isBeside ? `${setting}${besideSuffix}` : setting;
  }
}

function write(path: string): void {
  const fresh = `${path}.${process.pid}.new`;
  try {
    // In a folder that others may write to, a link with this name could lead anywhere: "x" follows none.
    rmSync(fresh, { force: true });
    writeFileSync(fresh, `${process.pid}\n`, { flag: 'wx' });
    // Everyone may read the file, whatever the umask.
    chmodSync(fresh, 0o644);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw unwritable('pidfile', path, error);
  }
}

/** NaN for a file that holds no process id, undefined where there is no file. */
function readPid(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`pidfile: cannot read ${path}: ${report(error).message}`);
  }
}
