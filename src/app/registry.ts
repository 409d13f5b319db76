/** The interfaces by name. A new one is one file and one line here: settings, help, types and workers follow from it. */

import { fetchInterface } from './fetch/interface.ts';
import type { AppInterface } from './interface.ts';
import { nodeInterface } from './node/interface.ts';
import { tcpInterface } from './tcp/interface.ts';
import { wsgiInterface } from './wsgi/interface.ts';

export const registry = {
  wsgi: wsgiInterface,
  node: nodeInterface,
  fetch: fetchInterface,
  tcp: tcpInterface,
} satisfies Record<string, AppInterface>;

export type InterfaceName = keyof typeof registry;

/** The app types by interface. */
export type AppTypes = {
  readonly [Name in InterfaceName]: (typeof registry)[Name] extends { readonly app?: infer App } ? App : never;
};
