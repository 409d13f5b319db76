/**
 * Hears of changes in folders. Folders are watched and not files, because editors replace files: the new file has the old
 * one's name and is another. Where the system has no room for a watch, the folder is checked at intervals.
 */

import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface FoldersOptions {
  /** Something has happened to this name in the folder; without a name, to anything in it or below it. */
  readonly onEvent: (folder: string, name: string | undefined) => void;
  /** These folders have to be checked now. */
  readonly onInterval: (folders: readonly string[]) => void;
  /** The first time that the system refuses a watch. */
  readonly onRefused: (error: NodeJS.ErrnoException) => void;
  readonly intervalMs?: number;
  /** For tests. */
  readonly watch?: (folder: string, listener: (event: string, name: string | null) => void) => FSWatcher;
}

interface Watch {
  readonly watcher: FSWatcher;
  /** Which folder it is, whatever its name is by now. */
  readonly inode: number | undefined;
}

export class Folders {
  private readonly options: FoldersOptions;
  private readonly watches = new Map<string, Watch>();
  /** Those without a watch: the system has none left for them, or they are not there. */
  private readonly unwatched = new Set<string>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private wasRefused = false;

  constructor(options: FoldersOptions) {
    this.options = options;
  }

  /** Watches these and no others. */
  set(folders: ReadonlySet<string>): void {
    for (const folder of [...this.watches.keys(), ...this.unwatched]) if (!folders.has(folder)) this.close(folder);
    for (const folder of folders) if (!this.watches.has(folder) && !this.unwatched.has(folder)) this.open(folder);
    this.keepTime();
  }

  closeAll(): void {
    this.set(new Set());
  }

  private open(folder: string): void {
    try {
      const watcher = (this.options.watch ?? watchFolder)(folder, (_, name) => this.hear(folder, name));
      watcher.on('error', () => this.reopen(folder));
      this.watches.set(folder, { watcher, inode: inodeOf(folder) });
      this.unwatched.delete(folder);
    } catch (error) {
      this.unwatched.add(folder);
      const { code } = error as NodeJS.ErrnoException;
      if (this.wasRefused || code === 'ENOENT' || code === 'ENOTDIR') return;
      this.wasRefused = true;
      this.options.onRefused(error as NodeJS.ErrnoException);
    }
  }

  private close(folder: string): void {
    this.watches.get(folder)?.watcher.close();
    this.watches.delete(folder);
    this.unwatched.delete(folder);
  }

  private reopen(folder: string): void {
    if (!this.watches.has(folder) && !this.unwatched.has(folder)) return;
    this.close(folder);
    this.open(folder);
    this.keepTime();
    this.options.onEvent(folder, undefined);
  }

  private hear(folder: string, name: string | null): void {
    // A folder that is moved or removed says so by its own name, and all watches below it are of what it was.
    if (name === null || name === basename(folder)) this.checkIdentity(folder);
    const inner = name === null ? undefined : `${folder === '/' ? '' : folder}/${name}`;
    if (inner !== undefined && (this.watches.has(inner) || this.unwatched.has(inner))) this.checkIdentity(inner);
    this.options.onEvent(folder, name ?? undefined);
  }

  private checkIdentity(folder: string): void {
    const known = this.watches.get(folder);
    const inode = inodeOf(folder);
    if (known !== undefined && inode !== undefined && known.inode === inode) return;
    for (const each of [...this.watches.keys(), ...this.unwatched])
      if (each === folder || each.startsWith(`${folder}/`)) this.reopen(each);
  }

  private keepTime(): void {
    const { intervalMs = 500 } = this.options;
    if (this.unwatched.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    } else this.timer ??= setInterval(() => this.check(), intervalMs).unref();
  }

  private check(): void {
    this.options.onInterval([...this.unwatched]);
    // One that was missing may be there now.
    if (!this.wasRefused) for (const folder of this.unwatched) if (inodeOf(folder) !== undefined) this.reopen(folder);
  }
}

function watchFolder(folder: string, listener: (event: string, name: string | null) => void): FSWatcher {
  return watch(folder, { persistent: false }, listener);
}

function inodeOf(folder: string): number | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

/** The folders whose change may be one of the file: its own, and those above it up to `root`, if it is in there. */
export function foldersOf(path: string, root: string): string[] {
  const folders = [dirname(path)];
  if (!path.startsWith(`${root}/`)) return folders;
  while (folders.at(-1)!.length > root.length) folders.push(dirname(folders.at(-1)!));
  return folders;
}
