/** What is known of an interface by its name alone, before its code is loaded. */

import type { AppInterface } from './interface.ts';
import { type InterfaceName, registry } from './registry.ts';

export const interfaceNames = Object.keys(registry) as InterfaceName[];

/** With `auto`, the export decides. */
export type AskedInterface = InterfaceName | 'auto';

export function descriptorOf(name: InterfaceName): AppInterface {
  return registry[name];
}

/** Whether its apps get requests or connections. */
export function servedBy(asked: AskedInterface): AppInterface['serves'] {
  return asked === 'auto' ? 'requests' : descriptorOf(asked).serves;
}

/** The scheme of the URLs at which its apps are served. */
export function schemeOf(asked: AskedInterface): string {
  return servedBy(asked) === 'requests' ? 'http' : 'tcp';
}

/** Names that other servers use. */
export function otherInterfaceNames(): Record<string, InterfaceName> {
  const namesOf = (name: InterfaceName) => (descriptorOf(name).alsoCalled ?? []).map((other) => [other, name] as const);
  return Object.fromEntries(interfaceNames.flatMap(namesOf));
}
