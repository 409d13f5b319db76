import { describe, expect, it } from 'vitest';
import { type FindAccount, identityOf, pickAccount } from '../../../src/master/generations/identity.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:Web,,,:/srv/web:/bin/false\n7:x:99:98::/seven:\n+nis:::\n',
  group: 'root:x:0:\nlogs:x:55:web,root\n',
};
const find: FindAccount = async (database, account) => pickAccount(files[database], account);
const identity = (user: string | undefined, group: string | undefined) =>
  identityOf({ user, group }, { user: '--user', group: 'tsgun.config.json:3' }, find);

describe('who the workers become', () => {
  const web = { uid: 33, name: 'web', home: '/srv/web' };
  it.each([
    ['nobody else', undefined, undefined, undefined],
    ['a user by name, with its group', 'web', undefined, { gid: 44, user: web }],
    ['a user by number', '33', undefined, { gid: 44, user: web }],
    ['a user and a group', 'web', 'logs', { gid: 55, user: web }],
    ['a group only', undefined, 'logs', { gid: 55, user: undefined }],
    ['numbers without accounts', '5000', '6000', { gid: 6000, user: { uid: 5000, name: undefined, home: undefined } }],
    ['a name that looks like a number', '7', undefined, { gid: 98, user: { uid: 99, name: '7', home: '/seven' } }],
  ])('%s', async (_, user, group, expected) => expect(await identity(user, group)).toEqual(expected));

  it.each([
    ['an unknown user', 'nouser', undefined, 'user: expected a user of this system, got "nouser" (--user)'],
    [
      'an unknown group',
      'web',
      'nogroup',
      'group: expected a group of this system, got "nogroup" (tsgun.config.json:3)',
    ],
    ['a number without a group', '5000', undefined, 'user: 5000 is no account of this system, so it has no group'],
    ['a line that is no account', '+nis', undefined, 'user: expected a user of this system, got "+nis"'],
  ])('%s is refused', async (_, user, group, message) => {
    await expect(identity(user, group)).rejects.toThrow(message);
  });
});
