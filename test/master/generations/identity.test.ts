import { describe, expect, it } from 'vitest';
import { type FindAccount, identityOf, pickAccount } from '../../../src/master/generations/identity.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:Web,,,:/srv/web:/bin/false\n7:x:99:98::/seven:\n+nis:::\n',
  group: 'root:x:0:\nlogs:x:55:web,root\n',
};
const find: FindAccount = async (database, account) => pickAccount(files[database], account);
const identity = (user: string | undefined, group: string | undefined, isRoot = true) =>
  identityOf({ user, group }, find, isRoot);

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
    ['an unknown user', 'nouser', undefined, 'user: there is no user "nouser" on this system'],
    ['an unknown group', 'web', 'nogroup', 'group: there is no group "nogroup" on this system'],
    ['a number without a group', '5000', undefined, 'user: 5000 is no account of this system, so it has no group'],
    ['a line that is no account', '+nis', undefined, 'user: there is no user "+nis"'],
  ])('%s is refused', async (_, user, group, message) => {
    await expect(identity(user, group)).rejects.toThrow(message);
  });

  it.each([
    ['web', undefined, 'user: only root can change it'],
    [undefined, 'logs', 'group: only root can change it'],
  ])('is refused to others than root: %s %s', async (user, group, message) => {
    await expect(identity(user, group, false)).rejects.toThrow(message);
  });
});
