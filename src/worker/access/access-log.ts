/**
 * The access log of a process. A request pays for its line alone; lines are made and written together. A target that is slow,
 * full or gone costs lines, which are counted, but never a request's time.
 */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Settings } from '../../config/settings.ts';
import { saysAnswerField } from '../../config/values/access-fields.ts';
import { report } from '../../errors.ts';
import type { MasterMessage } from '../../ipc/messages.ts';
import { outputSink } from '../../log/output.ts';
import { Sink } from '../../log/sink.ts';
import { openFile } from '../../log/target.ts';
import type { Logger } from '../../logger.ts';
import { entryOf } from './answered.ts';
import type { Entry, Origin, Writer } from './entry.ts';
import { compileFormat } from './format.ts';
import { gatheredBytes, Lines } from './lines.ts';
import { skipper } from './skip.ts';

export type AccessSettings = Pick<
  Settings,
  'accessLogfile' | 'accessLogformat' | 'accessLogFields' | 'accessLogSkip' | 'requestIdHeader'
>;

/** Lines are written this often, so a crash loses half a second of them at most. */
const gatherMs = 500;
/**
 * This many lines are made at a time. Their code then stays in the processor's caches, which takes a third of the time. Fields
 * of the answer belong to the app, which may change them for its next answer: a line with such fields is made immediately.
 */
const linesTogether = 64;
const reportEveryMs = 10_000;
const exitFlushMs = 200;

export class AccessLog {
  /** Called when the process exits, so that requests that still run get their lines. */
  beforeExit: (() => void) | undefined = undefined;
  private readonly sink: Sink;
  private readonly isFile: boolean;
  private origin: Origin;
  private readonly compile: (origin: Origin) => Writer;
  private line: Writer;
  private readonly skips: ((path: string) => boolean) | undefined;
  private readonly file: string;
  private readonly log: Logger;
  private readonly lines = new Lines();
  private count = 0;
  private readonly waiting: (Entry | undefined)[] = [];
  private waitingCount = 0;
  private readonly together: number;
  private timer: NodeJS.Timeout | undefined = undefined;
  private reportedAt = performance.now();

  /** Opens no file yet: see `open`. */
  constructor(file: string, settings: AccessSettings, origin: Omit<Origin, 'requestIdHeader'>, log: Logger) {
    const { accessLogformat, accessLogFields, accessLogSkip, requestIdHeader } = settings;
    this.file = file;
    this.log = log;
    this.isFile = file !== '-';
    this.sink = this.isFile ? new Sink({ open: () => openFile(file) }) : outputSink('stdout');
    this.origin = { ...origin, requestIdHeader };
    this.compile = (from) => compileFormat(accessLogformat, from, accessLogFields);
    this.line = this.compile(this.origin);
    this.together = saysAnswerField(accessLogformat, accessLogFields) ? 1 : linesTogether;
    this.skips = skipper(accessLogSkip);
    // Standard output reports its troubles itself, for everything that is written there.
    if (this.isFile) this.tellTroubles();
    process.on('exit', this.onExit);
  }

  /** @throws the system's error; later lines try to open the file again */
  open(): void {
    if (this.isFile) this.sink.reopen();
  }

  /** Writes the lines so far to the old file first. @throws the system's error; then the old file stays in use */
  reopen(): void {
    this.tsgunWrite();
    this.open();
  }

  readonly enter = (entry: Entry): void => {
    if (this.skips !== undefined && entry.head !== undefined && this.skips(entry.head.path)) return;
    this.waiting[this.waitingCount++] = entry;
    if (this.waitingCount >= this.together) this.makeLines();
    if (this.lines.length >= gatheredBytes) this.tsgunWrite();
    else this.timer ??= setTimeout(this.tsgunWrite, gatherMs).unref();
  };

  /** The worker has another number from now on. */
  rename(worker: number): void {
    // Until now it had the old one.
    this.makeLines();
    this.origin = { ...this.origin, worker };
    this.line = this.compile(this.origin);
  }

  /** Writes the lines of another worker, which is gone: in its name. */
  enterOf({ pid, worker, requests }: Extract<MasterMessage, { type: 'answered' }>): void {
    const write = this.compile({ ...this.origin, pid, worker });
    this.makeLines();
    for (const entry of requests.map(entryOf)) {
      if (this.skips?.(entry.head.path) === true) continue;
      write(entry, this.lines);
      this.count++;
    }
    this.timer ??= setTimeout(this.tsgunWrite, gatherMs).unref();
  }

  private makeLines(): void {
    const { waiting, waitingCount, line, lines } = this;
    for (let index = 0; index < waitingCount; index++) {
      line(waiting[index]!, lines);
      // The entry would keep its request in memory.
      waiting[index] = undefined;
    }
    this.count += waitingCount;
    this.waitingCount = 0;
  }

  /** Writes the lines that wait, and closes the file. */
  close(): void {
    process.off('exit', this.onExit);
    this.tsgunWrite();
    if (this.isFile) this.sink.close();
  }

  /** The watchdog takes a stack that begins with `tsgun` for an idle process: see `examiner.ts`. */
  private readonly tsgunWrite = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.makeLines();
    const { count } = this;
    this.count = 0;
    if (count > 0) this.sink.write(this.lines.take(), false, count);
    if (performance.now() - this.reportedAt > reportEveryMs) this.reportDropped();
  };

  /** While nothing can be written, no later line could report those that are lost; so the error log reports them. */
  private reportDropped(): void {
    this.reportedAt = performance.now();
    if (this.isFile) this.sink.reportDropped();
  }

  private readonly onExit = (): void => {
    this.beforeExit?.();
    this.tsgunWrite();
    this.sink.flush(exitFlushMs);
    this.reportDropped();
  };

  private tellTroubles(): void {
    const { sink, log, file } = this;
    sink.onDropped = ({ lines, bytes }) => {
      const fields = { stream: file, dropped: lines, droppedBytes: bytes };
      log.event('warn', 'log_dropped', fields, `${lines} lines of the access log were dropped`);
    };
    sink.onFailure = (error) => {
      const waiting = 'lines wait in memory, and beyond a limit they are dropped';
      log.say('error', { file, error: report(error).message }, `the access log cannot be written: ${waiting}`);
    };
  }
}
