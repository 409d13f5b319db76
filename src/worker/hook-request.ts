/** A request as hooks see it. */

import type { HookRequest } from '../hooks.ts';
import type { End } from '../http/ends.ts';
import type { Exchange } from '../http/exchange.ts';

/** Its headers are put together on demand. */
export class HttpRequest implements HookRequest {
  readonly method: string;
  readonly target: string;
  readonly remoteAddress: string;
  readonly #head: Exchange['head'];
  #headers: Record<string, string> | undefined = undefined;

  constructor({ head, ends }: Exchange) {
    this.method = head.method;
    this.target = head.target;
    this.remoteAddress = ends.remote.address;
    this.#head = head;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= joinFields(this.#head);
    return this.#headers;
  }
}

function joinFields({ names, values }: Exchange['head']): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [index, { lower }] of names.entries()) {
    const before = headers[lower];
    headers[lower] = before === undefined ? values[index]! : `${before}, ${values[index]}`;
  }
  return headers;
}

/** A raw connection in the form of a request. */
export function rawRequest({ address, port }: End): HookRequest {
  return { method: 'TCP', target: `${address}:${port}`, headers: {}, remoteAddress: address };
}
