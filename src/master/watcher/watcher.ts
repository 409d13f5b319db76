/** `--reload`: watches what the workers of the generations in use have loaded, and their configuration. */

import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report } from '../../errors.ts';
import { workerEntry } from '../../ipc/entries.ts';
import type { Logger } from '../../logger.ts';
import type { Generation } from '../generations/generation.ts';
import { Saves } from './saves.ts';

interface Watched {
  readonly files: Set<string>;
  /** Where the project begins. */
  readonly root: string;
  /** When its first worker may have begun to read, in milliseconds since 1970. */
  readonly since: number;
}

/** tsgun's own files, where it is not installed as a package. */
const ownFiles = fileURLToPath(new URL('../', workerEntry));

export class Watcher {
  private readonly saves: Saves;
  private readonly byGeneration = new Map<number, Watched>();
  private readonly own: ReadonlySet<string>;
  private isDue = false;

  /**
   * @param own what this process itself has read as code, up to now: a config module and its imports
   * @param onSave called with the first file of a save
   */
  constructor(own: ReadonlySet<string>, log: () => Logger, onSave: (file: string) => void) {
    this.own = own;
    this.saves = new Saves({ onSave, onRefused: (error) => sayRefused(log(), error) });
  }

  /** A generation is wanted. Its configuration says whether files are watched, and its own files are among them. */
  follow(number: number, { configuration, failure }: Pick<Generation, 'configuration' | 'failure'>): void {
    if (!configuration.settings.reload) {
      this.byGeneration.clear();
      return this.saves.close();
    }
    const { directory, settings, configFiles, app, script } = configuration;
    const files = [
      ...configFiles,
      ...settings.envFile,
      // Many programs read it by themselves.
      join(directory, '.env'),
      script ?? resolve(directory, app.replace(/:[\w$]+(?:\(\))?$/, '')),
      ...this.own,
      // Workers that serve an error load nothing: what failed, or would have been loaded next, belongs to the generations before.
      ...(failure === undefined ? [] : this.all()),
    ];
    this.byGeneration.set(number, { files: new Set(files), root: directory, since: Date.now() });
    this.renew();
  }

  /** A worker has loaded these files. */
  note(number: number, files: readonly string[]): void {
    const watched = this.byGeneration.get(number);
    if (watched === undefined) return;
    for (const file of files) if (!file.startsWith(ownFiles)) watched.files.add(file);
    this.renewSoon();
  }

  keepOnly(numbers: readonly (number | undefined)[]): void {
    for (const number of this.byGeneration.keys()) if (!numbers.includes(number)) this.byGeneration.delete(number);
  }

  close(): void {
    this.saves.close();
  }

  /** Workers of one generation load the same files at about the same time. */
  private renewSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      this.renew();
    }).unref();
  }

  private renew(): void {
    const newest = [...this.byGeneration.values()].at(-1);
    if (newest !== undefined) this.saves.set(new Set(this.all()), newest.root, newest.since);
  }

  private all(): string[] {
    return [...this.byGeneration.values()].flatMap(({ files }) => [...files]);
  }
}

function sayRefused(log: Logger, error: NodeJS.ErrnoException): void {
  const remedies: Record<string, string> = {
    ENOSPC: 'raise fs.inotify.max_user_watches (sysctl)',
    EMFILE: 'raise fs.inotify.max_user_instances (sysctl) or the limit of open files (ulimit -n)',
  };
  const remedy = remedies[error.code ?? ''];
  const fields = { error: report(error).message, remedy };
  log.say('warn', fields, 'reload: the system has no room to watch more folders: they are looked at twice a second');
}
