/**
 * Sends to a StatsD server by UDP. What cannot be sent is dropped, and delays nothing. The datagrams are made here,
 * as they are a line of text each, and the client libraries bring native modules along.
 */

import type { Socket } from 'node:dgram';

export interface StatsdOptions {
  readonly host: string;
  readonly port: number;
  /** With its dot, if there is one. */
  readonly prefix: string;
  /** In DogStatsD's form, separated by commas; empty for none. */
  readonly tags: string;
}

export interface Stat {
  readonly name: string;
  readonly value: number;
  readonly type: 'c' | 'g' | 'ms';
  /** The share of such values that is sent; 1 if it is not given. */
  readonly rate?: number;
}

/** What goes through any network in one piece. */
const datagramBytes = 1432;
/** How long nothing is tried after a failure: a name server may be slow. */
const retryMs = 5000;

export class Statsd {
  private readonly options: StatsdOptions;
  private socket: Socket | undefined = undefined;
  private isReady = false;
  private isClosed = false;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StatsdOptions) {
    this.options = options;
    void this.connect();
  }

  /** Until it is connected, what is sent is lost. */
  send(stats: readonly Stat[]): void {
    if (!this.isReady) return void this.connect();
    for (const datagram of gathered(stats.map((stat) => format(stat, this.options))))
      this.socket?.send(datagram, (error) => error && this.fail());
  }

  close(): void {
    this.isClosed = true;
    this.fail();
  }

  private async connect(): Promise<void> {
    if (this.socket !== undefined || this.isClosed || performance.now() - this.failedAt < retryMs) return;
    // One attempt at a time.
    this.failedAt = performance.now();
    const { host, port } = this.options;
    try {
      // Loaded only where something is sent.
      const [{ createSocket }, { lookup }] = await Promise.all([import('node:dgram'), import('node:dns/promises')]);
      const { address, family } = await lookup(host);
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4').unref();
      socket.on('error', () => this.fail());
      socket.connect(port, address, () => {
        this.isReady = this.socket === socket;
      });
      this.socket = socket;
    } catch {
      // The name is not known now: tried again later.
    }
  }

  private fail(): void {
    this.failedAt = performance.now();
    this.isReady = false;
    const { socket } = this;
    this.socket = undefined;
    try {
      socket?.close();
    } catch {
      // It is closed.
    }
  }
}

export function format(
  { name, value, type, rate = 1 }: Stat,
  { prefix, tags }: Pick<StatsdOptions, 'prefix' | 'tags'>,
): string {
  const sampled = rate < 1 ? `|@${Number(rate.toPrecision(6))}` : '';
  return `${prefix}${name}:${value}|${type}${sampled}${tags === '' ? '' : `|#${tags}`}`;
}

/** As many lines in one datagram as fit. */
export function gathered(lines: readonly string[]): string[] {
  const datagrams: string[] = [];
  for (const line of lines) {
    const last = datagrams.at(-1);
    if (last !== undefined && Buffer.byteLength(last) + 1 + Buffer.byteLength(line) <= datagramBytes)
      datagrams[datagrams.length - 1] = `${last}\n${line}`;
    else datagrams.push(line);
  }
  return datagrams;
}
