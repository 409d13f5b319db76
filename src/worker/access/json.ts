/** One JSON object per line. */

import { type JsonField, type JsonFieldName, readJsonField } from '../../config/access-fields.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { type Entry, methodOf, type Origin, pathOf, protocolOf, requestField } from './entry.ts';
import { quoteJson } from './escape.ts';
import { isoTime } from './time.ts';

type Text = (entry: Entry) => string;

/**
 * @param fields as the settings have accepted them; none: all
 * @param textOf what `{name}i` and the like are, undefined where there is none
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

/** The same as with all fields by name, in one expression: that is the quickest. */
function allFields(origin: Origin): Text {
  const { pid, worker, class: workerClass, requestIdHeader } = origin;
  const place = worker === undefined ? '' : `,"worker":${worker},"class":${quoteJson(workerClass ?? '')}`;
  const tail = `${place},"pid":${pid}}\n`;
  return (entry) => {
    const { head, ends, status, sentBytes, receivedBytes, durationMs, queueMs, cpuMs, outcome } = entry;
    const id = head === undefined ? '' : `,"requestId":${quoteJson(requestIdOf(head, requestIdHeader))}`;
    return (
      `{"time":"${isoTime()}","remoteAddr":${quoteJson(ends.remote.address)},"method":${quoteJson(methodOf(entry))}` +
      `,"path":${quoteJson(pathOf(entry))},"query":${quoteJson(head?.query ?? '')},"protocol":"${protocolOf(entry)}"` +
      `,"status":${status ?? null},"bytes":${sentBytes},"receivedBytes":${receivedBytes}` +
      `,"durationMs":${rounded(durationMs)}${queueMs === undefined ? '' : `,"queueMs":${rounded(queueMs)}`}` +
      `${cpuMs === undefined ? '' : `,"cpuMs":${rounded(cpuMs)}`}` +
      `${ifThere('referer', requestField(entry, 'referer'))}${ifThere('userAgent', requestField(entry, 'user-agent'))}` +
      `${id}${ifThere('traceparent', requestField(entry, 'traceparent'))},"outcome":"${outcome}"${tail}`
    );
  };
}

/** @returns what writes it as JSON; undefined where it is not known */
function writerOf(name: JsonFieldName, { pid, worker, class: workerClass, requestIdHeader }: Origin) {
  const number = (value: number | undefined) => (value === undefined ? undefined : String(rounded(value)));
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

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function ifThere(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quoteJson(text)}`;
}
