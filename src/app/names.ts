/** What is known of an interface by its name, before anything of it is loaded. */

import type { AppInterface } from './interface.ts';
import { type InterfaceName, registry } from './registry.ts';

export const interfaceNames = Object.keys(registry) as InterfaceName[];

/** Where it is `auto`, the export shows it. */
export type AskedInterface = InterfaceName | 'auto';

export function descriptorOf(name: InterfaceName): AppInterface {
  return registry[name];
}

/** What an app of it is given. */
export function servedBy(asked: AskedInterface): AppInterface['serves'] {
  return asked === 'auto' ? 'requests' : descriptorOf(asked).serves;
}

/** What the URL of an address begins with at which an app of it is served. */
export function schemeOf(asked: AskedInterface): string {
  return servedBy(asked) === 'requests' ? 'http' : 'tcp';
}

/** Their names elsewhere. */
export function otherInterfaceNames(): Record<string, InterfaceName> {
  const namesOf = (name: InterfaceName) => (descriptorOf(name).alsoCalled ?? []).map((other) => [other, name] as const);
  return Object.fromEntries(interfaceNames.flatMap(namesOf));
}
