/** What Node's own request and response objects keep under names that are not documented. */

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
