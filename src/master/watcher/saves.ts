/** Turns what happens to watched files into one message for each save, however many steps a save has. */

import { basename, dirname } from 'node:path';
import { type Fingerprint, fingerprintOf, stemOf } from './fingerprints.ts';
import { Folders, type FoldersOptions, foldersOf } from './folders.ts';

export interface SavesOptions extends Pick<FoldersOptions, 'onRefused' | 'watch' | 'intervalMs'> {
  /** Files have changed; the first of them, and how many. */
  readonly onSave: (file: string, count: number) => void;
}

/** When nothing has happened for this long, the save is complete. */
const quietMs = 40;
/** A file that keeps changing is reported after this time all the same. */
const longestMs = 400;
/** A file that is gone or empty gets this much longer: many programs save by truncating, or by removing and renaming. */
const emptyMs = 300;

export class Saves {
  private readonly options: SavesOptions;
  private readonly folders: Folders;
  private readonly known = new Map<string, Fingerprint>();
  /** Watched files by folder, for a change that names none. */
  private byFolder = new Map<string, string[]>();
  /** Files to which something may have happened, and since when. */
  private readonly touched = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: SavesOptions) {
    this.options = options;
    this.folders = new Folders({
      ...options,
      onEvent: (folder, name) => this.hear(folder, name),
      onInterval: (folders) => {
        for (const file of folders.flatMap((folder) => this.byFolder.get(folder) ?? []))
          if (!this.touched.has(file) && fingerprintOf(file).text !== this.known.get(file)?.text) this.touch(file);
      },
    });
  }

  /**
   * Watches these files and no others.
   * @param root folders below it may be replaced as a whole
   * @param readAt when the files that are new here were read at the earliest, in milliseconds since 1970: what was written
   *   after it counts as a save
   */
  set(files: ReadonlySet<string>, root: string, readAt: number): void {
    for (const file of this.known.keys()) if (!files.has(file)) this.known.delete(file);
    for (const file of files) {
      if (this.known.has(file)) continue;
      const fingerprint = fingerprintOf(file);
      this.known.set(file, fingerprint);
      // A clock of another machine may be ahead.
      const isLater = fingerprint.writtenAt > readAt && fingerprint.writtenAt <= Date.now();
      if (isLater) this.touch(file, { ...fingerprint, text: 'as it was read' });
    }
    this.byFolder = grouped(files);
    this.folders.set(new Set([...files].flatMap((file) => foldersOf(file, root))));
  }

  close(): void {
    clearTimeout(this.timer);
    this.touched.clear();
    this.known.clear();
    this.folders.closeAll();
  }

  private hear(folder: string, name: string | undefined): void {
    const inside = this.byFolder.get(folder) ?? [];
    const isMeant = (file: string) => name === undefined || stemOf(basename(file)) === stemOf(name);
    for (const file of inside) if (isMeant(file)) this.touch(file);
  }

  private touch(file: string, before?: Fingerprint): void {
    if (before !== undefined) this.known.set(file, before);
    const now = performance.now();
    if (!this.touched.has(file)) this.touched.set(file, now);
    // Entries keep their order: the first is the oldest.
    const [since = now] = this.touched.values();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), Math.max(0, Math.min(quietMs, since + longestMs - now))).unref();
  }

  private check(): void {
    const now = performance.now();
    const changed: { file: string; isEmpty: boolean }[] = [];
    for (const [file, since] of this.touched) {
      const fingerprint = fingerprintOf(file);
      const before = this.known.get(file);
      const isChanged = fingerprint.text !== before?.text;
      if (isChanged && fingerprint.isEmpty && before?.isEmpty === false && now - since < emptyMs) continue;
      this.touched.delete(file);
      if (!isChanged) continue;
      this.known.set(file, fingerprint);
      changed.push({ file, isEmpty: fingerprint.isEmpty });
    }
    if (this.touched.size > 0) this.timer = setTimeout(() => this.check(), quietMs).unref();
    // A new file also touches missing files with the same stem: prefer the one that has content.
    const first = changed.find(({ isEmpty }) => !isEmpty) ?? changed[0];
    if (first !== undefined) this.options.onSave(first.file, changed.length);
  }
}

function grouped(files: Iterable<string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const group = groups.get(dirname(file));
    if (group === undefined) groups.set(dirname(file), [file]);
    else group.push(file);
  }
  return groups;
}
