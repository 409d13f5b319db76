/** Formats a line as one JSON object. */

import { type JsonField, type JsonFieldName, readJsonField } from '../../config/access-fields.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { type Entry, methodOf, type Origin, pathOf, protocolOf, requestField } from './entry.ts';
import { quoteJson } from './escape.ts';
import { isoTime } from './time.ts';

type Text = (entry: Entry) => string;

/**
 * @param fields as the settings have accepted them; an empty list means all
 * @param textOf reads `{name}i` and the like, and returns undefined where there is no such text
 */
export function jsonFormat(
  origin: Origin,
  fields: readonly string[],
  textOf: (field: Extract<JsonField, { source: string }>) => (entry: Entry) => string | undefined,
): Text {
  if (fields.length === 0) return allFields(origin);
  const writers = fields.map(readJsonField).map((field): Text => {
    const key = quoteJson(Buffer.from(field.key).toString('latin1'));
    const value = 'value' in field ? writerOf(field.value, origin) : quoted(textOf(field));
    return (entry) => {
      const text = value(entry);
      return text === undefined ? '' : `,${key}:${text}`;
    };
  });
  return (entry) => {
    let line = '';
    for (let index = 0; index < writers.length; index++) line += writers[index]!(entry);
    return `{${line.slice(1)}}\n`;
  };
}

/**
 * The default: all fields. One expression, because that is quicker (`bench/access-lines.mjs`). A test compares its lines with
 * those of the same fields by name.
 */
function allFields(origin: Origin): Text {
  const { pid, worker, class: workerClass, requestIdHeader } = origin;
  const place = worker === undefined ? '' : `,"worker":${worker},"class":${quoteJson(workerClass ?? '')}`;
  const tail = `${place},"pid":${pid}}\n`;
  const [address, method, path] = [remembered(), remembered(), remembered()];
  return (entry) => {
    const { head, ends, status, sentBytes, receivedBytes, durationMs, queueMs, cpuMs, outcome } = entry;
    const { referer, userAgent, traceparent } = textsOf(head);
    const id = head === undefined ? '' : `,"requestId":${quoteJson(requestIdOf(head, requestIdHeader))}`;
    return (
      `{"time":"${isoTime()}","remoteAddr":${address(ends.remote.address)},"method":${method(methodOf(entry))}` +
      `,"path":${path(pathOf(entry))},"query":${quoteJson(head?.query ?? '')},"protocol":"${protocolOf(entry)}"` +
      `,"status":${status ?? null},"bytes":${sentBytes},"receivedBytes":${receivedBytes}` +
      `,"durationMs":${rounded(durationMs)}${queueMs === undefined ? '' : `,"queueMs":${rounded(queueMs)}`}` +
      `${cpuMs === undefined ? '' : `,"cpuMs":${rounded(cpuMs)}`}` +
      `${ifThere('referer', referer)}${ifThere('userAgent', userAgent)}${id}${ifThere('traceparent', traceparent)},"outcome":"${outcome}"${tail}`
    );
  };
}

/** @returns a function that writes the field's value as JSON, or undefined where there is no value */
function writerOf(name: JsonFieldName, { pid, worker, class: workerClass, requestIdHeader }: Origin) {
  const number = (value: number | undefined) => (value === undefined ? undefined : rounded(value));
  const all: Readonly<Record<JsonFieldName, (entry: Entry) => string | undefined>> = {
    time: () => `"${isoTime()}"`,
    remoteAddr: ({ ends }) => quoteJson(ends.remote.address),
    method: (entry) => quoteJson(methodOf(entry)),
    path: (entry) => quoteJson(pathOf(entry)),
    query: ({ head }) => quoteJson(head?.query ?? ''),
    protocol: (entry) => `"${protocolOf(entry)}"`,
    status: ({ status }) => String(status ?? null),
    bytes: ({ sentBytes }) => String(sentBytes),
    receivedBytes: ({ receivedBytes }) => String(receivedBytes),
    durationMs: ({ durationMs }) => number(durationMs),
    queueMs: ({ queueMs }) => number(queueMs),
    cpuMs: ({ cpuMs }) => number(cpuMs),
    referer: quoted((entry) => requestField(entry, 'referer')),
    userAgent: quoted((entry) => requestField(entry, 'user-agent')),
    requestId: ({ head }) => (head === undefined ? undefined : quoteJson(requestIdOf(head, requestIdHeader))),
    traceparent: quoted((entry) => requestField(entry, 'traceparent')),
    outcome: ({ outcome }) => quoteJson(outcome),
    worker: () => number(worker),
    class: () => (workerClass === undefined ? undefined : quoteJson(workerClass)),
    pid: () => String(pid),
  };
  return all[name];
}

function quoted(text: (entry: Entry) => string | undefined): (entry: Entry) => string | undefined {
  return (entry) => {
    const value = text(entry);
    return value === undefined ? undefined : quoteJson(value);
  };
}

/** `quoteJson` that keeps its last result: many texts are the same from line to line. */
function remembered(): (text: string) => string {
  let last = '';
  let quoted = '""';
  return (text) => {
    if (text === last) return quoted;
    last = text;
    quoted = quoteJson(text);
    return quoted;
  };
}

interface Texts {
  referer: string | undefined;
  userAgent: string | undefined;
  traceparent: string | undefined;
}

/** Finds the first field of each name in one pass. */
function textsOf(head: Entry['head']): Texts {
  const texts: Texts = { referer: undefined, userAgent: undefined, traceparent: undefined };
  if (head === undefined) return texts;
  const { names, values } = head;
  for (let index = 0; index < names.length; index++) {
    const { lower } = names[index]!;
    if (lower === 'user-agent') texts.userAgent ??= values[index];
    else if (lower === 'referer') texts.referer ??= values[index];
    else if (lower === 'traceparent') texts.traceparent ??= values[index];
  }
  return texts;
}

/** `.001` and so on; nothing for a whole number. */
const thousandths = Array.from({ length: 1000 }, (_, number) =>
  number === 0
    ? ''
    : `.${String(number)
        .padStart(3, '0')
        .replace(/0{1,2}$/, '')}`,
);

/** Rounded to the microsecond. Put together from whole numbers: V8 takes many times as long to write a fraction. */
function rounded(ms: number): string {
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  return whole + thousandths[micros - whole * 1000]!;
}

function ifThere(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quoteJson(text)}`;
}
