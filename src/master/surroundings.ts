/**
 * What the system around the master knows of it: its pidfile, and what the service manager is told. Nothing here changes
 * what the master does.
 */

import { report } from '../errors.ts';
import type { Generation, LoadConfiguration } from './generation.ts';
import { Notifier, takeServiceManager } from './notify.ts';
import { Pidfile } from './pidfile.ts';
import { childrenOf, type Pool } from './pool.ts';

/** What the last messages may take of the time of a stop. */
const farewellMs = 1000;

export class Surroundings {
  readonly pidfile = new Pidfile();
  private readonly notifier = new Notifier(takeServiceManager());
  private isReady = false;
  private isStopping = false;

  /** A configuration whose pidfile is another's is refused like any other that cannot be used. */
  checked(load: LoadConfiguration): LoadConfiguration {
    return async () => {
      const configuration = await load();
      this.pidfile.check(configuration.settings.pidfile);
      return configuration;
    };
  }

  /**
   * The addresses are bound, and no worker runs yet.
   * @param askForLife called at intervals, to have `alive` called from the master's loop
   * @throws ConfigError when the pidfile cannot be written
   */
  open({ configuration, log }: Generation, askForLife: () => void): void {
    const { settings, warnings } = configuration;
    this.pidfile.hold(settings.pidfile, log);
    for (const warning of warnings) log.say('warn', {}, warning);
    this.notifier.start(log, askForLife);
  }

  /** Called at every turn of the loop. */
  look(pool: Pool): void {
    const ready = childrenOf(pool).filter(({ state }) => state === 'ready').length;
    const workers = (count: number) => `${count} worker${count === 1 ? '' : 's'}`;
    const serving = `${workers(ready)} ready, generation ${pool.generation}`;
    this.notifier.describe(pool.isStopping ? `stopping, ${workers(pool.children.size)} left` : serving);
    if (!this.isStopping && pool.isStopping) this.notifier.stopping();
    else if (!this.isReady && pool.hasServed && ready >= pool.target) this.notifier.ready();
    else return;
    this.isReady = true;
    this.isStopping = pool.isStopping;
  }

  alive(): void {
    this.notifier.alive();
  }

  reloading(): void {
    if (this.isReady) this.notifier.reloading();
  }

  /** A reload has ended; this is what counts now. */
  settle({ configuration, umask, log }: Generation): void {
    const { pidfile } = configuration.settings;
    // A reload that failed has left its own.
    process.umask(umask);
    try {
      this.pidfile.hold(pidfile, log);
    } catch (error) {
      log.say('error', { pidfile, error: report(error).message }, 'the pidfile stays as it was');
    }
    if (this.isReady && !this.isStopping) this.notifier.ready();
  }

  async close(pool: Pool): Promise<void> {
    this.look(pool);
    this.pidfile.release();
    await this.notifier.end(farewellMs);
  }
}
