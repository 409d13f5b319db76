/**
 * Express first gives each request and response another prototype. In V8 before Node 24, an object whose prototype has changed
 * no longer shares its shape with others: every property added later makes a shape for this object alone, and code that meets a
 * new shape each time runs at a fraction of its speed. If the objects are made with that prototype, nothing has to change: five
 * times the requests per second.
 */

import { withoutNews } from '../../node/objects.ts';
import { IncomingMessage, ServerResponse } from './http.ts';

/** The properties of an Express app that hold the prototypes of its requests and responses, in any version. */
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

/** Whether objects can be made with that prototype: nothing in it may prevent a constructor from setting its properties. */
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
 * Puts the prototype of a class before the app's own, whose members stay visible. V8 makes objects with a prototype from the
 * start only for that prototype's own class.
 * @returns the prototype that the app should give, and that the objects have already
 */
export function standBefore(prototype: object, ofClass: object): object {
  Reflect.deleteProperty(ofClass, 'constructor');
  return Object.setPrototypeOf(ofClass, prototype) as object;
}
