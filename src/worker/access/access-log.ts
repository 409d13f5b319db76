/**
 * The access log of a process. A request costs the making of its line; lines are written together. Where they go may be slow,
 * full or gone: that costs lines, which are counted, and neither a request nor a moment.
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

/** After a crash so much is missing at most. */
const gatherMs = 500;
/** As many characters, each a byte, are written at once. */
const gatheredBytes = 32_768;
const reportEveryMs = 10_000;
const exitFlushMs = 200;

export class AccessLog {
  /** Called when the process exits: what still runs has its line too. */
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

  /** Opens nothing yet: see `open`. */
  constructor(file: string, settings: AccessSettings, origin: Omit<Origin, 'requestIdHeader'>, log: Logger) {
    const { accessLogformat, accessLogFields, accessLogSkip, requestIdHeader } = settings;
    this.file = file;
    this.log = log;
    this.isFile = file !== '-';
    this.sink = this.isFile ? new Sink({ open: () => openFile(file) }) : outputSink('stdout');
    this.line = compileFormat(accessLogformat, { ...origin, requestIdHeader }, accessLogFields);
    this.skips = skipper(accessLogSkip);
    // Standard output has its own, for all that is written there.
    if (this.isFile) this.tellTroubles();
    process.on('exit', this.onExit);
  }

  /** @throws the system's error; later lines try again */
  open(): void {
    if (this.isFile) this.sink.reopen();
  }

  /** Lines so far go to the file as it was. @throws the system's error; then the old one is written on */
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

  /** Writes what is there, and lets go of the file. */
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

  /** Where nothing can be written for long, no later line would tell of those that are missing. */
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
