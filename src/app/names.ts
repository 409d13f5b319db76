/** What is known of an interface by its name alone, before its code is loaded. */

import { parseReference } from '../app-reference.ts';
import type { AppInterface } from './interface.ts';
import { type InterfaceName, registry } from './registry.ts';

export const interfaceNames = Object.keys(registry) as InterfaceName[];

/** By which a program's `net.Server` gets its connections. */
export const rawServersInterface: InterfaceName = 'tcp';

/** With `auto`, the export decides. */
export type AskedInterface = InterfaceName | 'auto';

export function descriptorOf(name: InterfaceName): AppInterface {
  return registry[name];
}

/** @returns the interface that is asked for, perhaps by the name of the export */
export function askedFor(asked: AskedInterface, appReference: string): AskedInterface {
  if (asked !== 'auto') return asked;
  const { exportName } = parseReference(appReference);
  const isNamed = (name: InterfaceName) => exportName !== undefined && descriptorOf(name).exportName === exportName;
  return interfaceNames.find(isNamed) ?? 'auto';
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
