/** Formats a line as one JSON object. */

import {
  type JsonField,
  type JsonFieldName,
  jsonFieldNames,
  readJsonField,
} from '../../config/values/access-fields.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { type Entry, methodOf, type Origin, pathOf, protocolOf, requestField, type Writer } from './entry.ts';
import { escapeJson, quoteJson } from './escape.ts';
import { bytesOf, Remembered } from './remembered.ts';
import { isoTime, timeOfDay } from './time.ts';

type Text = (entry: Entry) => string | undefined;

const quote = 0x22;
const openingBrace = 0x7b;

/**
 * @param fields as the settings have accepted them; an empty list means all
 * @param textOf reads `{name}i` and the like, and returns undefined where there is no such text
 */
export function jsonFormat(
  origin: Origin,
  fields: readonly string[],
  textOf: (field: Extract<JsonField, { source: string }>) => Text,
): Writer {
  const steps = stepsOf((fields.length === 0 ? jsonFieldNames : fields).map(readJsonField), origin, textOf);
  const end = bytesOf('}\n');
  return (entry, lines) => {
    const start = lines.length;
    for (let index = 0; index < steps.length; index++) steps[index]!(entry, lines);
    if (lines.length === start) lines.byte(openingBrace);
    // In the place of the first comma.
    else lines.replace(start, openingBrace);
    lines.piece(end);
  };
}

/** What is the same in every line is one piece, as far as it stands together. */
function stepsOf(fields: readonly JsonField[], origin: Origin, textOf: Parameters<typeof jsonFormat>[2]): Writer[] {
  const steps: Writer[] = [];
  let same = '';
  const flush = () => {
    const bytes = bytesOf(same);
    if (same !== '') steps.push((_, lines) => lines.piece(bytes));
    same = '';
  };
  for (const field of fields) {
    const key = `,${quoteJson(Buffer.from(field.key).toString('latin1'))}:`;
    const value = 'value' in field ? constantOf(field.value, origin) : undefined;
    if (value !== undefined) same += value === '' ? '' : key + value;
    else {
      flush();
      steps.push('value' in field ? writerOf(field.value, key, origin) : text(key, textOf(field)));
    }
  }
  flush();
  return steps;
}

/** @returns undefined where it is not the same in every line; '' where it is in none */
function constantOf(name: JsonFieldName, { pid, worker, class: workerClass }: Origin): string | undefined {
  if (name === 'worker') return worker === undefined ? '' : String(worker);
  if (name === 'class') return workerClass === undefined ? '' : quoteJson(workerClass);
  return name === 'pid' ? String(pid) : undefined;
}

type Varying = Exclude<JsonFieldName, 'worker' | 'class' | 'pid'>;

function writerOf(name: JsonFieldName, key: string, { requestIdHeader }: Origin): Writer {
  const makers: Readonly<Record<Varying, () => Writer>> = {
    time: () => time(key),
    remoteAddr: () => common(key, ({ ends }) => ends.remote.address),
    method: () => repeated(key, methodOf, quoteJson),
    path: () => text(key, pathOf),
    query: () => text(key, ({ head }) => head?.query ?? ''),
    protocol: () => repeated(key, protocolOf, quoteJson),
    status: () => repeated(key, ({ status }) => status ?? null, String),
    bytes: () => integer(key, ({ sentBytes }) => sentBytes),
    receivedBytes: () => integer(key, ({ receivedBytes }) => receivedBytes),
    durationMs: () => decimal(key, ({ durationMs }) => durationMs),
    queueMs: () => decimal(key, ({ queueMs }) => queueMs),
    cpuMs: () => decimal(key, ({ cpuMs }) => cpuMs),
    referer: () => common(key, (entry) => requestField(entry, 'referer')),
    userAgent: () => common(key, (entry) => requestField(entry, 'user-agent')),
    requestId: () => text(key, ({ head }) => (head === undefined ? undefined : requestIdOf(head, requestIdHeader))),
    traceparent: () => text(key, (entry) => requestField(entry, 'traceparent')),
    outcome: () => repeated(key, ({ outcome }) => outcome, quoteJson),
  };
  return makers[name as Varying]();
}

function time(key: string): Writer {
  const before = bytesOf(`${key}"`);
  return ({ endedAt }, lines) => {
    lines.piece(before);
    lines.piece(isoTime(timeOfDay(endedAt)));
    lines.byte(quote);
  };
}

function integer(key: string, value: (entry: Entry) => number): Writer {
  const before = bytesOf(key);
  return (entry, lines) => {
    lines.piece(before);
    lines.integer(value(entry));
  };
}

function decimal(key: string, value: (entry: Entry) => number | undefined): Writer {
  const before = bytesOf(key);
  return (entry, lines) => {
    const known = value(entry);
    if (known === undefined) return;
    lines.piece(before);
    lines.decimal(known);
  };
}

function text(key: string, value: Text): Writer {
  const before = bytesOf(`${key}"`);
  return (entry, lines) => {
    const known = value(entry);
    if (known === undefined) return;
    lines.piece(before);
    lines.escaped(known, escapeJson);
    lines.byte(quote);
  };
}

/** As `text`, of what many requests have in common. */
function common(key: string, value: Text): Writer {
  const before = bytesOf(`${key}"`);
  const remembered = new Remembered(escapeJson);
  return (entry, lines) => {
    const known = value(entry);
    if (known === undefined) return;
    lines.piece(before);
    remembered.write(known, lines);
    lines.byte(quote);
  };
}

/** A value that is nearly always the same as the last one: it is kept, with its key. */
function repeated<Value>(key: string, value: (entry: Entry) => Value, write: (value: Value) => string): Writer {
  let last: Value | undefined;
  let piece = bytesOf('');
  return (entry, lines) => {
    const current = value(entry);
    if (current !== last) {
      last = current;
      piece = bytesOf(key + write(current));
    }
    lines.piece(piece);
  };
}
