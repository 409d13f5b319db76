/** Where a unix socket may be made, and who may connect to it. */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bindUnix } from '../../../src/master/sockets/unix.ts';
import { makeRoom } from '../../../src/master/sockets/unix-path.ts';
import { onTestFinished } from '../../current.ts';
import { makeFolder } from '../../integration/harness.ts';

const made = (files: Record<string, string> = {}) => {
  const { path } = makeFolder(files);
  return { path, at: (name: string) => join(path, name) };
};

describe('the file of a unix socket', () => {
  it.each([
    [0o000, 0o777],
    [0o007, 0o770],
    [0o177, 0o600],
  ])('is open to whom the umask %o leaves it to', async (umask, mode) => {
    const { at } = made();
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
    const listener = await bindUnix(at('a.sock'), 'unix:a.sock', undefined);
    expect(statSync(at('a.sock')).mode & 0o777).toBe(mode);
    listener.close();
    expect(existsSync(at('a.sock'))).toBe(false);
  });

  it('takes the place of one that nobody accepts on', async () => {
    const { at } = made();
    const code = `require('net').createServer().listen(${JSON.stringify(at('a.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', code]);
    expect(existsSync(at('a.sock'))).toBe(true);
    await makeRoom(at('a.sock'), 'unix:a.sock');
    expect(existsSync(at('a.sock'))).toBe(false);
  });

  it('never takes the place of a file, a folder, or what cannot be', async () => {
    const { path, at } = made({ 'a.txt': 'precious' });
    mkdirSync(at('folder'));
    const long = 'x'.repeat(120);
    const elsewhere = 'remove it if it is not needed, or take another path';
    for (const [name, error] of [
      ['a.txt', `unix:a.txt is there and is not a socket: ${elsewhere}`],
      ['folder', `unix:folder is there and is not a socket: ${elsewhere}`],
      ['a.txt/a.sock', `unix:a.txt/a.sock: ${at('a.txt')} is no directory`],
      [long, `unix:${long} is too long: ${path.length + 121} bytes, and 107 fit; take a shorter path`],
    ] as const)
      await expect(makeRoom(at(name), `unix:${name}`)).rejects.toThrow(`bind: ${error}`);
    const none = bindUnix(at('none/a.sock'), 'unix:none/a.sock', undefined);
    await expect(none).rejects.toThrow('bind: unix:none/a.sock: the directory is not there: make it first (ENOENT)');
    expect(statSync(at('a.txt')).size).toBe('precious'.length);
  });

  it('never takes the place of one that another process accepts on', async () => {
    const { at } = made();
    const other = createServer().listen(at('a.sock'));
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    await expect(makeRoom(at('a.sock'), 'unix:a.sock')).rejects.toThrow(/^bind: unix:a\.sock is in use: /);
    expect(existsSync(at('a.sock'))).toBe(true);
  });
});
