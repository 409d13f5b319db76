/**
 * Under `--reload`: shows clients the error with which the app failed a request, and tells a waiting page when new code serves.
 * Such a page asks twice a second, with a header field of its own. An open connection would take the place of requests in the
 * sync class.
 */

import type { Handler } from '../../app/handler.ts';
import { report } from '../../errors.ts';
import type { Exchange, ShownFailure } from '../../http/exchange.ts';
import type { RequestHead } from '../../http/head.ts';
import { describe } from './app.ts';
import { generationField, renderPage, renderText, waitField } from './page.ts';

/** @param generation the number of the code that has failed */
export function failureOf(generation: number): (exchange: Exchange, error: unknown) => ShownFailure {
  return ({ head }, error) => {
    const failure = { ...describe(report(error)), title: 'The app failed a request' };
    const isBrowser = fieldOf(head, 'accept')?.includes('text/html') === true;
    const isGet = head.method === 'GET';
    const body = isBrowser ? renderPage(failure, isGet ? { generation } : undefined) : renderText(failure);
    const type = `text/${isBrowser ? 'html' : 'plain'}; charset=utf-8`;
    const fields = [
      ['Content-Type', type],
      ['Vary', 'Accept'],
      ['Cache-Control', 'no-store'],
    ] as const;
    return { fields, body };
  };
}

/** The outermost handler: neither hooks nor the access log see the questions of a waiting page. */
export function answerWaiting(handle: Handler, generation: number): Handler {
  return (exchange) => {
    if (fieldOf(exchange.head, waitField) === undefined) return handle(exchange);
    exchange.disregard();
    const fields = [
      [generationField, String(generation)],
      ['Cache-Control', 'no-store'],
    ] as const;
    exchange.send('204 No Content', fields, '');
  };
}

function fieldOf({ names, values }: RequestHead, lower: string): string | undefined {
  const index = names.findIndex((name) => name.lower === lower);
  return index === -1 ? undefined : values[index];
}
