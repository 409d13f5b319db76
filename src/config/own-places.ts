/**
 * Addresses and files that tsgun makes, and that two settings name. The system's own error would blame another process, or
 * there would be none, and a pidfile would overwrite a log.
 */

import { resolve } from 'node:path';
import type { SettingName, Settings } from './settings.ts';
import { type Address, formatAddress } from './values/addresses.ts';

type Tcp = Extract<Address, { kind: 'tcp' }>;

interface Named<Place> {
  readonly name: SettingName;
  readonly place: Place;
  /** As the user is told of it. */
  readonly text: string;
}

export interface Clash {
  /** The setting that most likely has to be corrected. */
  readonly name: SettingName;
  readonly other: SettingName;
  readonly problem: string;
}

/** Pure. Addresses that `bind` names twice are found elsewhere. */
export function clashes(settings: Settings): Clash[] {
  return [...addressClashes(settings), ...fileClashes(settings)];
}

function addressClashes({ adminBind, bind }: Settings): Clash[] {
  if (adminBind?.kind !== 'tcp') return [];
  const twin = bind.find((address) => address.kind === 'tcp' && overlap(address, adminBind));
  if (twin === undefined) return [];
  const problem = `expected an address of its own, got ${formatAddress(adminBind)}, and bind names ${formatAddress(twin)}`;
  return [{ name: 'adminBind', other: 'bind', problem }];
}

function fileClashes(settings: Settings): Clash[] {
  const at = (name: SettingName, path: string): Named<string> => ({
    name,
    place: resolve(settings.chdir ?? '.', path),
    text: path,
  });
  const some = (name: SettingName, path: string | false | undefined) =>
    typeof path === 'string' && path !== '-' ? [at(name, path)] : [];
  const sockets = (name: SettingName, addresses: readonly (Address | undefined)[]) =>
    addresses.flatMap((address) => (address?.kind === 'unix' ? [at(name, address.path)] : []));
  const read = (['certfile', 'keyfile', 'envFile'] as const).flatMap((name) =>
    settings[name].map((path) => at(name, path)),
  );
  const made = [
    ...sockets('bind', settings.bind),
    ...sockets('adminBind', [settings.adminBind]),
    ...some('controlSocket', settings.controlSocket),
    ...some('pidfile', settings.pidfile),
    ...some('errorLogfile', settings.errorLogfile),
    ...some('accessLogfile', settings.accessLogfile),
  ];
  return made.flatMap(({ name, place, text }, index) => {
    const twin = [...read, ...some('caCerts', settings.caCerts), ...made.slice(0, index)].find(
      (other) => other.place === place && other.name !== name && !areLogs(name, other.name),
    );
    if (twin === undefined) return [];
    return [
      { name, other: twin.name, problem: `expected a file of its own, got ${text}, which ${twin.name} names too` },
    ];
  });
}

/** Both append whole lines. */
function areLogs(one: SettingName, other: SettingName): boolean {
  return one === 'accessLogfile' && other === 'errorLogfile';
}

/** Whether a socket that is bound to one leaves no room for the other. */
function overlap(one: Tcp, other: Tcp): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [a, b] = [hostOf(one), hostOf(other)];
  return a === b || [a, b].some(isAny);
}

const hostOf = ({ host }: Tcp) => (host === 'localhost' ? '127.0.0.1' : host.toLowerCase());
const isAny = (host: string) => host === '0.0.0.0' || host === '::';
