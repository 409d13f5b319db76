/** What `run` and `createServer` serve, by interface. */

import type { AppTypes } from '../app/registry.ts';

export interface Apps extends AppTypes {
  readonly auto: AppTypes['wsgi'] | AppTypes['node'] | AppTypes['fetch'];
}
/** An app of any interface, after the types were checked. */
export type AnyApp = Apps[keyof Apps];
