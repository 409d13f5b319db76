/**
 * The configurations that children run, by number: the wanted one, the one to go back to if a reload fails, and those on
 * their way out. Which of them are still needed is the caller's to say.
 */

import { schemeAt } from '../../config/values/tls.ts';
import { report } from '../../errors.ts';
import type { Taken } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Listener } from '../sockets/listener.ts';
import { type Generation, type LoadConfiguration, prepare } from './generation.ts';

export type Prepared = { type: 'prepared'; generation: Generation } | { type: 'reload_failed'; error: unknown };

export class Generations {
  private readonly load: LoadConfiguration;
  private readonly byNumber = new Map<number, Generation>();
  private readonly announced = new Set<Listener>();
  /** A configuration is being read. */
  isReading = false;
  /** How many reloads were requested meanwhile. */
  private waiting = 0;

  constructor(load: LoadConfiguration, number: number, first: Generation) {
    this.load = load;
    this.byNumber.set(number, first);
  }

  get(number: number): Generation {
    return this.byNumber.get(number)!;
  }

  all(): Generation[] {
    return [...this.byNumber.values()];
  }

  add(number: number, generation: Generation): void {
    this.byNumber.set(number, generation);
  }

  /**
   * Once per listener, when the first worker accepts on it: from then on clients are served.
   * @param taken what that worker took the app for
   * @param screen for people on a terminal, in place of all the lines
   */
  announce(number: number, taken: Taken, screen: string | undefined): void {
    const { listeners, log, configuration } = this.get(number);
    const fresh = listeners.filter((listener) => !this.announced.has(listener));
    for (const [index, listener] of fresh.entries()) {
      this.announced.add(listener);
      prepareFile(listener, log);
      const { address, endpoint } = listener;
      // The URL for a browser or another client; a unix socket has none.
      const url =
        endpoint === undefined
          ? undefined
          : `${schemeAt(configuration.settings, listeners.indexOf(listener), taken.scheme)}://${address}`;
      const fields = { address, url, interface: taken.interface };
      const shown = index === fresh.length - 1 ? screen : screen && '';
      log.event('info', 'listening', fields, `listening on ${url ?? address}`, shown);
    }
  }

  /**
   * Reads the configuration again, beside the loop, and reports the result; of several reads that overlap, only the newest.
   * @param onRepeat called when it is read once more, because `count` requests came meanwhile
   * @param load what reads it
   */
  read(tell: (event: Prepared) => void, onRepeat: (count: number) => void, load = this.load): void {
    if (this.isReading) {
      this.waiting++;
      return;
    }
    this.isReading = true;
    const others = this.all();
    const present = others.flatMap(({ listeners }) => listeners);
    void prepare(load, present, others)
      .then((generation): Prepared => ({ type: 'prepared', generation }))
      .catch((error): Prepared => ({ type: 'reload_failed', error }))
      .then((event) => {
        this.isReading = false;
        if (this.waiting === 0) return tell(event);
        if (event.type === 'prepared') this.discard(event.generation);
        onRepeat(this.waiting);
        this.waiting = 0;
        return this.read(tell, onRepeat);
      });
  }

  /** Forgets all others, and closes what only they listened on. Not while one is read: it may take up their listeners. */
  keepOnly(numbers: readonly (number | undefined)[]): void {
    if (this.isReading) return;
    for (const [number, generation] of this.byNumber) {
      if (numbers.includes(number)) continue;
      this.byNumber.delete(number);
      this.discard(generation);
    }
  }

  /** Closes what a generation listens on, except what another one has too. */
  discard({ listeners, admin, certificates }: Generation): void {
    const all = this.all();
    const wanted = new Set(all.flatMap((generation) => generation.listeners));
    for (const listener of listeners) if (!wanted.has(listener)) listener.close();
    if (!all.some((generation) => generation.admin === admin)) admin?.close();
    if (!all.some((generation) => generation.certificates === certificates)) certificates?.close();
  }

  closeAll(): void {
    for (const listener of new Set(this.all().flatMap(({ listeners }) => listeners))) listener.close();
  }

  /** Called last: the admin listener says how a stop goes until the end. */
  closeAdmin(): void {
    for (const { admin } of this.all()) admin?.close();
  }
}

function prepareFile({ address, onListening }: Listener, log: Logger): void {
  try {
    onListening?.();
  } catch (error) {
    log.say('error', { address, error: report(error).message }, 'the unix socket still belongs to the master’s user');
  }
}
