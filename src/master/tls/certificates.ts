/**
 * The certificates of a configuration, kept up to date: the files are checked each second, through links, and read when they
 * have changed. If the new ones cannot be used, that is logged, and the certificates before stay in use.
 */

import { stat } from 'node:fs/promises';
import { type TlsSettings, tlsProblems } from '../../config/values/tls.ts';
import { ConfigError, report } from '../../errors.ts';
import type { TlsFiles } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import { cryptoModule } from '../../node/builtin.ts';
import { developmentFiles } from './development.ts';
import { type CertificateSettings, type Read, readCertificates } from './read.ts';

const checkMs = 1000;
/** A ticket opens the session that it was made for, so its key must not live long. */
const ticketKeyMs = 8 * 3600 * 1000;
const warnDays = 14;
const dayMs = 24 * 3600 * 1000;

export class Certificates {
  files: TlsFiles;
  private readonly settings: CertificateSettings;
  private readonly log: Logger;
  private readonly listeners = new Set<(files: TlsFiles) => void>();
  private readonly timers: readonly NodeJS.Timeout[];
  private read: Read;
  /** How the files were when they were last read, and when what was read could be used. */
  private seen: string;
  private isChecking = false;
  /** The state of the files at the last failure: a failure that lasts is logged once. */
  private failedFor: string | undefined = undefined;

  private constructor(settings: CertificateSettings, log: Logger, read: Read, seen: string) {
    this.settings = settings;
    this.log = log;
    this.read = read;
    this.seen = seen;
    this.files = filesOf(read, newTicketKey());
    this.timers = [
      setInterval(() => void this.check(), checkMs).unref(),
      setInterval(() => this.use(this.read, newTicketKey()), ticketKeyMs).unref(),
      setInterval(() => this.say('certificates'), dayMs).unref(),
    ];
    this.say('loaded');
  }

  /** @throws ConfigError */
  static async open(settings: CertificateSettings & TlsSettings, log: Logger): Promise<Certificates> {
    const problems = tlsProblems(settings);
    if (problems.length > 0) throw new ConfigError(problems.map(({ text }) => text));
    const used = settings.devTls ? { ...settings, ...(await developmentFiles()) } : settings;
    const seen = await stateOf(used);
    return new Certificates(used, log, await readCertificates(used), seen);
  }

  /** Calls `listener` at each change from now on. @returns a function that ends that */
  subscribe(listener: (files: TlsFiles) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** In seconds since 1970, by the hosts that they are for. */
  get expiries(): ReadonlyMap<string, number> {
    return new Map(
      this.read.pairs.map(({ certificate }) => [
        namesOf(certificate.subjectAltName, certificate.subject),
        Date.parse(certificate.validTo) / 1000,
      ]),
    );
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.listeners.clear();
  }

  private async check(): Promise<void> {
    if (this.isChecking) return;
    this.isChecking = true;
    try {
      const now = await stateOf(this.settings);
      if (now !== this.seen) await this.renew(now);
    } finally {
      this.isChecking = false;
    }
  }

  private async renew(now: string): Promise<void> {
    try {
      const read = await readCertificates(this.settings);
      refuseExpired(read, this.read);
      // Files that change while they are read are read again.
      if ((await stateOf(this.settings)) !== now) return;
      this.seen = now;
      this.failedFor = undefined;
      this.use(read, this.files.ticketKey);
      this.say('loaded');
    } catch (error) {
      // The second file of a pair often comes a moment after the first: what fails once is tried again before it is logged.
      if (this.failedFor === now) {
        this.seen = now;
        const fields = { error: report(error).message };
        this.log.event('error', 'certificate_failed', fields, 'the certificates before stay in use');
      }
      this.failedFor = now;
    }
  }

  private use(read: Read, ticketKey: string): void {
    this.read = read;
    this.files = filesOf(read, ticketKey);
    for (const listener of this.listeners) listener(this.files);
  }

  private say(why: 'loaded' | 'certificates'): void {
    for (const { file, certificate } of this.read.pairs) {
      const expires = new Date(certificate.validTo);
      const daysLeft = Math.floor((expires.getTime() - Date.now()) / dayMs);
      const fields = { file, names: namesOf(certificate.subjectAltName, certificate.subject), expires, daysLeft };
      const isLate = daysLeft < warnDays;
      if (why === 'certificates' && !isLate) continue;
      const text =
        daysLeft < 0
          ? 'the certificate has expired: clients refuse it until it is renewed'
          : `the certificate expires in ${daysLeft} days`;
      this.log.event(isLate ? 'warn' : 'info', 'certificate_loaded', fields, text);
    }
  }
}

function filesOf({ pairs, ca }: Read, ticketKey: string): TlsFiles {
  return { pairs: pairs.map(({ cert, key }) => ({ cert, key })), ca, ticketKey };
}

function newTicketKey(): string {
  return cryptoModule().randomBytes(48).toString('base64');
}

function namesOf(alternatives: string | undefined, subject: string): string {
  return alternatives?.replaceAll(/(?:DNS|IP Address):/g, '') ?? subject.replaceAll('\n', ', ');
}

/** An expired certificate must not take the place of a valid one. @throws Error */
function refuseExpired(read: Read, before: Read): void {
  const isOver = ({ pairs }: Read, index: number) => Date.parse(pairs[index]?.certificate.validTo ?? '') < Date.now();
  for (const [index, { file }] of read.pairs.entries())
    if (isOver(read, index) && !isOver(before, index))
      throw new Error(`certfile: ${file} has expired: put a renewed one in its place`);
}

/** Which files the names stand for now, with their sizes and times. A link that was renamed shows another file. */
async function stateOf({ certfile, keyfile, caCerts }: CertificateSettings): Promise<string> {
  const files = [...certfile, ...keyfile, ...(caCerts === undefined ? [] : [caCerts])];
  const states = files.map(async (file) => {
    const found = await stat(file).catch(() => undefined);
    return found === undefined ? 'none' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}:${found.ctimeMs}`;
  });
  return (await Promise.all(states)).join(' ');
}
