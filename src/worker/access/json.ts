/** One JSON object per line. */

import { requestIdOf } from '../../http/request-id.ts';
import { type Entry, methodOf, type Origin, pathOf, protocolOf, requestField } from './entry.ts';
import { quoteJson } from './escape.ts';
import { isoTime } from './time.ts';

export function jsonFormat({ pid, worker, class: workerClass, requestIdHeader }: Origin): (entry: Entry) => string {
  const place = worker === undefined ? '' : `,"worker":${worker},"class":${quoteJson(workerClass ?? '')}`;
  const tail = `${place},"pid":${pid}}\n`;
  return (entry) => {
    const { head, ends, status, sentBytes, receivedBytes, durationMs, queueMs, outcome } = entry;
    const id = head === undefined ? '' : `,"requestId":${quoteJson(requestIdOf(head, requestIdHeader))}`;
    return (
      `{"time":"${isoTime()}","remoteAddr":${quoteJson(ends.remote.address)},"method":${quoteJson(methodOf(entry))}` +
      `,"path":${quoteJson(pathOf(entry))},"query":${quoteJson(head?.query ?? '')},"protocol":"${protocolOf(entry)}"` +
      `,"status":${status ?? null},"bytes":${sentBytes},"receivedBytes":${receivedBytes}` +
      `,"durationMs":${rounded(durationMs)}${queueMs === undefined ? '' : `,"queueMs":${rounded(queueMs)}`}` +
      `${ifThere('referer', requestField(entry, 'referer'))}${ifThere('userAgent', requestField(entry, 'user-agent'))}` +
      `${id}${ifThere('traceparent', requestField(entry, 'traceparent'))},"outcome":"${outcome}"${tail}`
    );
  };
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function ifThere(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quoteJson(text)}`;
}
