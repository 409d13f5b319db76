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
  const symbols = internalsAreOff ? [] : Object.getOwnPropertySymbols(response);
  const find = (name: string) => symbols.find(({ description }) => description === name);
  return { outHeaders: find('kOutHeaders'), needDrain: find('kNeedDrain') };
}

/** Makes an object that is nobody's response: those who subscribe to Node's channel of new responses do not hear of it. */
export function withoutNews<T>(make: () => T): T {
  const created = channel('http.server.response.created');
  Object.defineProperty(created, 'hasSubscribers', { value: false, configurable: true });
  try {
    return make();
  } finally {
    Reflect.deleteProperty(created, 'hasSubscribers');
  }
}
