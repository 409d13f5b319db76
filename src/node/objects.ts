/** What Node's own request and response objects keep under names that are not documented. */

import { channel } from 'node:diagnostics_channel';
import { internalsAreOff } from './switch.ts';

/**
 * Where an `http.ServerResponse` keeps its headers, and that it owes a `drain`. The documented way to the headers makes two
 * copies of them for each response.
 */
export function responseSymbols(response: object): {
  readonly outHeaders: symbol | undefined;
  readonly needDrain: symbol | undefined;
} {
  return { outHeaders: symbolOf(response, 'kOutHeaders'), needDrain: symbolOf(response, 'kNeedDrain') };
}

/** The name that Node has for something of an object, by its description. */
export function symbolOf(object: object, name: string): symbol | undefined {
  if (internalsAreOff) return undefined;
  return Object.getOwnPropertySymbols(object).find(({ description }) => description === name);
}

/** Makes a response without a request; subscribers of Node's channel of new responses do not see it. */
export function withoutNews<T>(make: () => T): T {
  const created = channel('http.server.response.created');
  Object.defineProperty(created, 'hasSubscribers', { value: false, configurable: true });
  try {
    return make();
  } finally {
    Reflect.deleteProperty(created, 'hasSubscribers');
  }
}
