/**
 * Express gives each request and each response another prototype, first of all. In V8 before Node 24, an object whose
 * prototype has changed shares its shape with no other any more: every property added later makes one for this object
 * alone, and code that meets a new shape each time runs at a fraction of its speed. Made with that prototype from the
 * start, there is nothing to change: five times the requests per second.
 */

import { withoutNews } from '../../node/objects.ts';
import { IncomingMessage, ServerResponse } from './http.ts';

/** What an app of Express has, of any version that gives them to its requests and responses. */
interface Prototypes {
  request: object;
  response: object;
}

export function hasPrototypes(app: unknown): app is Prototypes {
  if (typeof app !== 'function' || !('request' in app) || !('response' in app)) return false;
  return (
    fits(app.request, new IncomingMessage(null as never)) &&
    fits(
      app.response,
      withoutNews(() => new ServerResponse(new IncomingMessage(null as never))),
    )
  );
}

/** Whether such an object can be born with that prototype: nothing in it keeps a constructor from setting what it sets. */
function fits(prototype: unknown, sample: object): boolean {
  const last = Object.getPrototypeOf(sample) as object;
  if (typeof prototype !== 'object' || prototype === null || !Object.prototype.isPrototypeOf.call(last, prototype))
    return false;
  for (let object = prototype; object !== last; object = Object.getPrototypeOf(object) as object)
    for (const name of Reflect.ownKeys(sample)) {
      const property = Reflect.getOwnPropertyDescriptor(object, name);
      if (property !== undefined && property.writable !== true) return false;
    }
  return true;
}

/**
 * Puts the prototype of a class before the app's own, which goes on to say all that it says: V8 makes objects with a
 * prototype from the start only by a class that it belongs to.
 * @returns the one that the app is to give, and they already have
 */
export function standBefore(prototype: object, ofClass: object): object {
  Reflect.deleteProperty(ofClass, 'constructor');
  return Object.setPrototypeOf(ofClass, prototype) as object;
}
