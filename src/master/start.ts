/** The start of a master, up to its loop: a stop that comes while the configuration is read, or sockets are bound, is obeyed at once. */

import { ExitCode } from '../errors.ts';
import { onModule } from '../node/loaded-modules.ts';
import { isStop, type MasterEvent } from './events.ts';
import { type Generation, type LoadConfiguration, prepareFirst } from './generations/generation.ts';
import type { Inbox } from './inbox.ts';
import { Master } from './master.ts';
import { predecessor } from './succession/successor.ts';
import { Surroundings } from './surroundings/surroundings.ts';

export interface MasterOptions {
  readonly load: LoadConfiguration;
  /** Holds the signals that came since the process began. */
  readonly inbox: Inbox<MasterEvent>;
  /** The directory in which the command was started, by the name that the user gave it. */
  readonly home: string;
}

/**
 * Runs until stopped.
 * @throws ConfigError when the configuration is bad or an address cannot be bound; then no worker has run
 */
export async function runMaster({ load, inbox, home }: MasterOptions): Promise<ExitCode> {
  const surroundings = new Surroundings(predecessor);
  const ownModules = new Set<string>();
  onModule((file) => ownModules.add(file));
  const options = { load: surroundings.checked(load), inbox, home };
  const giveUp = new AbortController();
  const first = prepareFirst(options.load, giveUp.signal, predecessor() !== undefined);
  const stop = await Promise.race([first.then(() => undefined), inbox.find(isStop)]);
  if (stop === undefined) return new Master({ ...options, ownModules }, await first, surroundings).run();
  giveUp.abort();
  // In a script that calls `run`, the process may continue.
  const close = ({ listeners, admin }: Generation) => {
    for (const listener of listeners) listener.close();
    admin?.close();
  };
  void first.then(close, () => {});
  return ExitCode.ok;
}
