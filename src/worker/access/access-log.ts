/**
 * The access log of a process. A request pays for its line of text alone; lines are written together. A target that is slow,
 * full or gone costs lines, which are counted, but never a request's time.
 */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Settings } from '../../config/settings.ts';
import { report } from '../../errors.ts';
import { outputSink } from '../../log/output.ts';
import { Sink } from '../../log/sink.ts';
import { openFile } from '../../log/target.ts';
import type { Logger } from '../../logger.ts';
import type { Entry, Origin } from './entry.ts';
import { compileFormat, type Line } from './format.ts';
import { skipper } from './skip.ts';

export type AccessSettings = Pick<
  Settings,
  'accessLogfile' | 'accessLogformat' | 'accessLogFields' | 'accessLogSkip' | 'requestIdHeader'
>;

/** Lines are written this often, so a crash loses half a second of them at most. */
const gatherMs = 500;
/** Or as soon as there is this much; each character is a byte. */
const gatheredBytes = 32_768;
const reportEveryMs = 10_000;
const exitFlushMs = 200;

export class AccessLog {
  /** Called when the process exits, so that requests that still run get their lines. */
  beforeExit: (() => void) | undefined = undefined;
  private readonly sink: Sink;
  private readonly isFile: boolean;
  private readonly line: Line;
  private readonly skips: ((path: string) => boolean) | undefined;
  private readonly file: string;
  private readonly log: Logger;
  private text = '';
  private lines = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  private reportedAt = performance.now();

  /** Opens no file yet: see `open`. */
  constructor(file: string, settings: AccessSettings, origin: Omit<Origin, 'requestIdHeader'>, log: Logger) {
    const { accessLogformat, accessLogFields, accessLogSkip, requestIdHeader } = settings;
    this.file = file;
    this.log = log;
    this.isFile = file !== '-';
    this.sink = this.isFile ? new Sink({ open: () => openFile(file) }) : outputSink('stdout');
    this.line = compileFormat(accessLogformat, { ...origin, requestIdHeader }, accessLogFields);
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
    this.write();
    this.open();
  }

  readonly enter = (entry: Entry): void => {
    if (this.skips !== undefined && entry.head !== undefined && this.skips(entry.head.path)) return;
    this.text += this.line(entry);
    this.lines++;
    if (this.text.length >= gatheredBytes) this.write();
    else this.timer ??= setTimeout(this.write, gatherMs).unref();
  };

  /** Writes the lines that wait, and closes the file. */
  close(): void {
    process.off('exit', this.onExit);
    this.write();
    if (this.isFile) this.sink.close();
  }

  private readonly write = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { text, lines } = this;
    this.text = '';
    this.lines = 0;
    if (lines > 0) this.sink.write(Buffer.from(text, 'latin1'), false, lines);
    if (performance.now() - this.reportedAt > reportEveryMs) this.reportDropped();
  };

  /** While nothing can be written, no later line could report those that are lost; so the error log reports them. */
  private reportDropped(): void {
    this.reportedAt = performance.now();
    if (this.isFile) this.sink.reportDropped();
  }

  private readonly onExit = (): void => {
    this.beforeExit?.();
    this.write();
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
