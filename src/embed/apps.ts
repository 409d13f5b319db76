/** What `run` and `createServer` serve, by interface. */

import type { AppTypes } from '../app/registry.ts';

export interface Apps extends AppTypes {
  readonly auto: AppTypes['wsgi'] | AppTypes['node'] | AppTypes['fetch'];
}
/** Any of them, where the types have been looked at. */
export type AnyApp = Apps[keyof Apps];
