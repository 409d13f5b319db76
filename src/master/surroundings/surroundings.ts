/**
 * What the system around the master sees of it: its pidfile, and messages to the service manager. Nothing here changes
 * what the master does.
 */

import { report } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { keepCode } from '../../node/code-cache.ts';
import type { Generation, LoadConfiguration } from '../generations/generation.ts';
import type { Snapshot } from '../snapshot.ts';
import { giveTo } from '../sockets/socket-file.ts';
import { Notifier, takeServiceManager } from './notify.ts';
import { Pidfile } from './pidfile.ts';

/** Node reaps its own children only. */
const orphanNotice =
  'tsgun runs as process 1, where orphaned processes stay as zombies: if the app starts programs that start others, have an init process reap them (docker run --init, tini)';

/** How long the last messages may delay a stop. */
const lastMessagesMs = 1000;

/** How often a new master checks whether the old one is gone. */
const predecessorCheckMs = 500;

export class Surroundings {
  private readonly pidfile: Pidfile;
  private readonly predecessor: () => number | undefined;
  private readonly notifier = new Notifier(takeServiceManager());
  private isReady = false;
  private isStopping = false;
  private hasYielded = false;

  /** Called when the master that started this one has gone. */
  onAlone: (() => void) | undefined = undefined;

  /** @param predecessor the pid of the master that started this one beside itself, while it lives */
  constructor(predecessor: () => number | undefined) {
    this.predecessor = predecessor;
    this.pidfile = new Pidfile(predecessor() !== undefined);
  }

  /** A configuration whose pidfile belongs to another master is refused like any other bad one. */
  checked(load: LoadConfiguration): LoadConfiguration {
    return async () => {
      const configuration = await load();
      this.pidfile.check(configuration.settings.pidfile);
      return configuration;
    };
  }

  /**
   * The addresses are bound, and no worker runs yet.
   * @param askForLife called at intervals; it lets the master's loop call `alive`
   * @throws ConfigError when the pidfile cannot be written
   */
  open({ configuration, log }: Generation, askForLife: () => void): void {
    const { settings, warnings } = configuration;
    this.pidfile.hold(settings.pidfile, log);
    for (const warning of warnings) log.say('warn', {}, warning);
    if (process.pid === 1) log.say('info', {}, orphanNotice);
    this.notifier.start(log, askForLife);
    if (this.predecessor() !== undefined) this.waitForPredecessor(log);
  }

  private waitForPredecessor(log: Logger): void {
    const timer = setInterval(() => {
      if (this.predecessor() !== undefined) return;
      clearInterval(timer);
      this.onAlone?.();
      try {
        this.pidfile.promote(log);
      } catch (error) {
        log.say('error', { error: report(error).message }, 'the pidfile keeps its name with .2');
      }
    }, predecessorCheckMs).unref();
  }

  /**
   * Tells the service manager what has changed. Called at every turn of the loop.
   * @param other the pid of a master beside this one
   */
  announce({ state, workers, ready, wanted, generation }: Snapshot, other: number | undefined): void {
    const isStopping = state === 'stopping';
    if (isStopping && (other !== undefined || this.hasYielded)) {
      // On STOPPING, the service manager would stop the service, and the other master with it.
      if (!this.hasYielded && other !== undefined) this.notifier.yieldTo(other);
      this.hasYielded = true;
      this.isStopping = true;
      return;
    }
    const count = (workers: number) => `${workers} worker${workers === 1 ? '' : 's'}`;
    const serving = `${count(ready)} ready, generation ${generation}`;
    this.notifier.describe(isStopping ? `stopping, ${count(workers.length)} left` : serving);
    if (!this.isStopping && isStopping) this.notifier.stopping();
    else if (!this.isReady && state !== 'starting' && !isStopping && ready >= wanted) {
      this.notifier.ready();
      keepCode();
    } else return;
    this.isReady = true;
    this.isStopping = isStopping;
  }

  alive(): void {
    this.notifier.alive();
  }

  reloading(): void {
    if (this.isReady) this.notifier.reloading();
  }

  /** A reload has ended; these are the settings in force. */
  settle({ configuration, umask, log, identity, listeners }: Generation): void {
    const { pidfile } = configuration.settings;
    // A reload that failed has set its own umask.
    process.umask(umask);
    try {
      this.pidfile.hold(pidfile, log);
    } catch (error) {
      log.say('error', { pidfile, error: report(error).message }, 'the pidfile stays as it was');
    }
    try {
      // Kept sockets may have belonged to another user.
      for (const { file } of listeners) if (file !== undefined && identity !== undefined) giveTo(identity, file);
    } catch (error) {
      log.say('error', { error: report(error).message }, 'a unix socket keeps its owner');
    }
    if (this.isReady && !this.isStopping) this.notifier.ready();
  }

  async close(snapshot: Snapshot, other: number | undefined): Promise<void> {
    this.announce(snapshot, other);
    this.pidfile.release();
    await this.notifier.end(lastMessagesMs);
  }
}
