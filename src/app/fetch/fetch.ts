/** The fetch interface: `(request) => Response`, as on edge runtimes (WinterTC), or an object with such a `fetch`. */

import { HttpError } from '../../http/errors.ts';
import type { Handler } from '../handler.ts';
import { answer } from './answer.ts';
import { type FetchInfo, Info } from './info.ts';
import { installRequest, LazyRequest, prepareRequest } from './request.ts';
import { installResponse, NativeResponse, prepareResponse } from './response.ts';

export type { FetchInfo };

export type Fetch = (request: Request, info: FetchInfo) => Response | Promise<Response>;
/** Edge runtimes pass two objects after the request, one with bindings and one with methods. Here both are the same object. */
type Call = (request: Request, info: FetchInfo, context: FetchInfo) => Response | Promise<Response>;

let isInstalled = false;

/**
 * @param isGuest whether the process is the caller's: then its globals `Request`, `Response` and `fetch` stay, and the app gets
 *   Node's own request
 */
export function fetchHandler(app: Fetch | { fetch: Fetch }, { isGuest = false } = {}): Handler {
  if (!isInstalled && isGuest) {
    prepareRequest();
    prepareResponse();
  } else if (!isInstalled) {
    isInstalled = true;
    installRequest();
    installResponse();
  }
  const call: Call =
    typeof app === 'function' && !('fetch' in app)
      ? (app as Call)
      : (request, info, context) => (app as { fetch: Call }).fetch(request, info, context);
  return (exchange) => {
    exchange.isLenient = true;
    let request: LazyRequest;
    try {
      request = new LazyRequest(exchange);
    } catch {
      return exchange.answer(new HttpError(400, 'malformed Host or request target'));
    }
    exchange.keepsBody = true;
    try {
      // A TRACE request stays ours: Node's class refuses that method.
      const given = isGuest && request.method !== 'TRACE' ? LazyRequest.become(request) : request;
      const info = new Info(exchange);
      const response = call(given as unknown as Request, info, info);
      if (response instanceof NativeResponse) return ended(request, answer(exchange, response));
      return Promise.resolve(response)
        .then((response) => answer(exchange, response))
        .catch((error) => exchange.fail(error))
        .then(() => LazyRequest.end(request));
    } catch (error) {
      return ended(request, exchange.fail(error));
    }
  };
}

function ended(request: LazyRequest, answered: void | Promise<void>): void | Promise<void> {
  if (answered !== undefined) return answered.then(() => LazyRequest.end(request));
  LazyRequest.end(request);
}
