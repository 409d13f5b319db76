/**
 * A configuration made usable: read and checked, its addresses bound, its log open. All that can be wrong with it is found
 * here, before any worker is spawned for it.
 */

import type { Configuration } from '../config/load.ts';
import { ConfigError, report } from '../errors.ts';
import { createLogger, type Logger } from '../logger.ts';
import { adoptHandover } from './handover.ts';
import { bindAll, type Listener } from './listeners.ts';

export interface Generation {
  readonly configuration: Configuration;
  /** One per address of the configuration, in its order. */
  readonly listeners: readonly Listener[];
  readonly log: Logger;
}

/** Reads the configuration; called at the start and again for every reload. */
export type LoadConfiguration = () => Promise<Configuration>;

/** A config file is code, and may wait for something that never comes. */
const readMs = 30_000;

/**
 * @param present listeners to reuse where an address is the same
 * @throws ConfigError
 */
export async function prepare(load: LoadConfiguration, present: readonly Listener[]): Promise<Generation> {
  const configuration = await withinReason(load());
  const log = openLog(configuration);
  return { configuration, log, listeners: await bindAll(configuration.settings.bind, present) };
}

/** The first one, with the sockets that an older master may have handed over; those it does not want are closed. */
export async function prepareFirst(load: LoadConfiguration): Promise<Generation> {
  const adopted = adoptHandover();
  const generation = await prepare(load, adopted);
  for (const listener of adopted) if (!generation.listeners.includes(listener)) listener.close();
  return generation;
}

/** The time limit, and errors that escape from the code of a config file while it is read. */
function withinReason<T>(reading: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onEscape = (error: unknown) =>
      settle(() => reject(new ConfigError(`config: an error escaped it: ${report(error).message}`, { cause: error })));
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(new ConfigError(`config: not read within ${readMs / 1000} s: does it wait for something?`)),
        ),
      readMs,
    );
    const settle = (end: () => void) => {
      clearTimeout(timer);
      process.off('uncaughtException', onEscape);
      process.off('unhandledRejection', onEscape);
      end();
    };
    process.on('uncaughtException', onEscape);
    process.on('unhandledRejection', onEscape);
    reading.then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
  });
}

function openLog({ settings }: Configuration): Logger {
  try {
    return createLogger(settings);
  } catch (error) {
    throw new ConfigError(`errorLogfile: cannot write to ${settings.errorLogfile}: ${report(error).message}`);
  }
}
