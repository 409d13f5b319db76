/** A client of HTTP/2 that sends any frame, right or wrong, and notes what comes back. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { inTime } from '../../current.ts';

export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const Flag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;
/** Error codes (RFC 9113 §7). */
const codes = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** @param length what the frame says, if that is not what it has */
export function frame(type: number, flags: number, stream: number, payload: Buffer | number[] = []): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, bytes]);
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** An integer with a prefix of some bits (RFC 7541 §5.1). */
export function integer(value: number, bits: number, first = 0): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([first | value]);
  const bytes = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Literals without indexing, not compressed (RFC 7541 §6.2.2). */
export function block(fields: Fields): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([integer(bytes.length, 7), bytes]);
  };
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

export function asked(more: Fields = [], path = '/', method = 'GET'): Fields {
  return [[':method', method], [':scheme', 'http'], [':path', path], [':authority', 'h'], ...more];
}

export function headers(
  fields: Fields | Buffer = asked(),
  flags: number = Flag.endStream | Flag.endHeaders,
  stream = 1,
): Buffer {
  return frame(Type.headers, flags, stream, Buffer.isBuffer(fields) ? fields : block(fields));
}

export function settings(...pairs: (readonly [id: number, value: number])[]): Buffer {
  const entries = pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), number32(value)]));
  return frame(Type.settings, 0, 0, Buffer.concat(entries));
}

const marker = Buffer.from('8 bytes.');

export class FrameClient {
  readonly socket: Socket;
  readonly statuses: string[] = [];
  readonly resets: string[] = [];
  readonly pings: string[] = [];
  goaway: string | undefined = undefined;
  lastStream = 0;
  settingsAcks = 0;
  /** What came of bodies, by stream. */
  readonly bodies = new Map<number, number>();
  readonly ended = new Set<number>();
  text = '';
  isFirstSettings: boolean | undefined = undefined;
  isClosed = false;
  private held = Buffer.alloc(0);
  private readonly watchers = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.tell();
    });
    socket.on('data', (bytes) => this.take(bytes));
  }

  static async open(port: number, first: Buffer = Buffer.concat([preface, settings()])): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new FrameClient(socket);
    if (first.length > 0) socket.write(first);
    return client;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Sends a PING: its answer says that all before it was read. */
  mark(): void {
    this.send(frame(Type.ping, 0, 0, marker));
  }

  get isMarked(): boolean {
    return this.pings.includes(marker.toString());
  }

  /** What the server did last, the gravest first. */
  get outcome(): string {
    if (this.goaway !== undefined && this.goaway !== 'NO_ERROR') return `GOAWAY ${this.goaway}`;
    const reset = this.resets.at(-1);
    // Behind an answer, NO_ERROR says that the rest of the request is not wanted.
    if (reset !== undefined && (reset !== 'NO_ERROR' || this.statuses.length === 0)) return `RST ${reset}`;
    if (this.statuses.length > 0) return this.statuses.join(' ');
    if (this.isClosed) return 'closed';
    return this.isMarked ? 'open' : 'nothing';
  }

  until(condition: () => boolean): Promise<void> {
    const holds = new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.watchers.delete(check);
        resolve();
      };
      this.watchers.add(check);
      check();
    });
    return inTime(holds, () => `${condition}; so far: ${this.outcome}`);
  }

  private tell(): void {
    for (const watch of this.watchers) watch();
  }

  private take(bytes: Buffer): void {
    this.held = Buffer.concat([this.held, bytes]);
    while (this.held.length >= 9) {
      const length = this.held.readUIntBE(0, 3);
      if (this.held.length < 9 + length) break;
      const payload = this.held.subarray(9, 9 + length);
      this.read(this.held[3]!, this.held[4]!, this.held.readUInt32BE(5) & 0x7fffffff, payload);
      this.held = this.held.subarray(9 + length);
    }
    this.tell();
  }

  private read(type: number, flags: number, stream: number, payload: Buffer): void {
    this.isFirstSettings ??= type === Type.settings && flags === 0;
    if (type === Type.data) {
      this.bodies.set(stream, (this.bodies.get(stream) ?? 0) + payload.length);
      this.text += payload.toString('latin1');
    }
    if (type === Type.headers && payload.length > 0) {
      const status = statusIn(payload);
      if (status !== undefined) this.statuses.push(status);
    }
    if ((type === Type.data || type === Type.headers) && (flags & Flag.endStream) !== 0) this.ended.add(stream);
    if (type === Type.reset) this.resets.push(nameOf(payload.readUInt32BE(0)));
    if (type === Type.settings && flags === 0) this.send(frame(Type.settings, Flag.ack, 0));
    if (type === Type.settings && flags === Flag.ack) this.settingsAcks++;
    if (type === Type.ping && flags === Flag.ack) this.pings.push(payload.toString());
    if (type === Type.goaway) {
      this.lastStream = payload.readUInt32BE(0);
      const name = nameOf(payload.readUInt32BE(4));
      this.goaway = this.goaway === undefined || this.goaway === 'NO_ERROR' ? name : this.goaway;
    }
  }
}

function nameOf(code: number): string {
  return codes[code] ?? String(code);
}

const known: Readonly<Record<number, string>> = {
  8: '200',
  9: '204',
  10: '206',
  11: '304',
  12: '400',
  13: '404',
  14: '500',
};

/** Of an answer whose first field is its status; as much of HPACK as digits need. */
function statusIn(payload: Buffer): string | undefined {
  let at = 0;
  // Updates of the table's size.
  while ((payload[at]! & 0xe0) === 0x20) at++;
  const first = payload[at]!;
  if ((first & 0x80) !== 0) return known[first & 0x7f];
  const index = first & ((first & 0x40) !== 0 ? 0x3f : 0x0f);
  if (index < 8 || index > 14) return undefined;
  const length = payload[at + 1]! & 0x7f;
  const value = payload.subarray(at + 2, at + 2 + length);
  return (payload[at + 1]! & 0x80) === 0 ? value.toString() : digits(value);
}

/** Digits in Huffman's code (RFC 7541, appendix B): 0 to 2 have five bits, the others six. */
function digits(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let text = '';
  for (let at = 0; text.length < 3; ) {
    const short = Number.parseInt(bits.slice(at, at + 5), 2);
    if (short <= 2) {
      text += short;
      at += 5;
    } else {
      text += Number.parseInt(bits.slice(at, at + 6), 2) - 0x19 + 3;
      at += 6;
    }
  }
  return text;
}
