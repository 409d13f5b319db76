/** The user and group of the workers: from names to numbers. The master keeps its own. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Settings } from '../../config/settings.ts';
import { ConfigError } from '../../errors.ts';
import type { Identity } from '../../ipc/order.ts';

type Wanted = Pick<Settings, 'user' | 'group'>;
/** The fields of an account's line in `passwd` or `group`, or undefined. */
export type FindAccount = (database: 'passwd' | 'group', account: string) => Promise<readonly string[] | undefined>;

/** The source of each setting, for messages. */
type Origins = Partial<Readonly<Record<'user' | 'group', string>>>;

/**
 * @returns undefined if the workers keep the master's user and group
 * @throws ConfigError for an unknown name
 */
export async function identityOf(
  { user, group }: Wanted,
  origins: Origins = {},
  find: FindAccount = findAccount,
): Promise<Identity | undefined> {
  if (user === undefined && group === undefined) return undefined;
  const [name, , uid, primary, , home] =
    user === undefined ? [] : await accountOf('user', 'passwd', user, find, origins);
  const gid = group === undefined ? primary : (await accountOf('group', 'group', group, find, origins))[2];
  if (gid === undefined)
    throw new ConfigError(
      `user: ${user} is no account of this system, so it has no group; write --group too${place(origins.user)}`,
    );
  const who = uid === undefined ? undefined : { uid: Number(uid), name, home };
  return { gid: Number(gid), user: who };
}

/** A number without an account is accepted: in containers that is common. */
async function accountOf(
  setting: 'user' | 'group',
  database: 'passwd' | 'group',
  account: string,
  find: FindAccount,
  origins: Origins,
): Promise<readonly (string | undefined)[]> {
  const found = await find(database, account);
  if (found !== undefined) return found;
  if (/^\d+$/.test(account)) return [undefined, undefined, account];
  const text = `expected a ${setting} of this system, got ${JSON.stringify(account)}`;
  throw new ConfigError(`${setting}: ${text}${place(origins[setting])}`);
}

function place(origin: string | undefined): string {
  return origin === undefined ? '' : ` (${origin})`;
}

/** The file first; then whatever else the system asks for accounts, such as LDAP, by getent(1). */
async function findAccount(database: 'passwd' | 'group', account: string): Promise<readonly string[] | undefined> {
  const file = await readFile(`/etc/${database}`, 'utf8').catch(() => '');
  const other = () => promisify(execFile)('getent', [database, account], { timeout: 10_000 });
  return (
    pickAccount(file, account) ??
    pickAccount(
      await other().then(
        ({ stdout }) => stdout,
        () => '',
      ),
      account,
    )
  );
}

/** Pure: passwd(5) and group(5) both begin with the name, a password and the number. A name comes before a number. */
export function pickAccount(text: string, account: string): readonly string[] | undefined {
  const lines = text.split('\n').map((line) => line.split(':'));
  const known = lines.filter(([, , id]) => id !== undefined && /^\d+$/.test(id));
  return known.find(([name]) => name === account) ?? known.find(([, , id]) => id === account);
}
