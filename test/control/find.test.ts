import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { find } from '../../src/control/find.ts';
import { onTestFinished } from '../current.ts';

it('the link of a master that was killed does not count as a second instance', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsgun-find-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const named = join(directory, 'named.socket');
  const server = createServer((client) => client.end()).listen(named);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  for (const pid of [dead, process.pid]) symlinkSync(named, join(directory, `${pid}.sock`));

  const target = { controlSocket: undefined, pid: undefined, pidfile: undefined };
  const client = await find({ ...target, pid: process.pid }, [directory]);
  client.close();
  await expect(find({ ...target, pid: dead }, [directory])).rejects.toThrow(`no tsgun with pid ${dead} has a socket`);
  const only = await find(target, [directory]);
  expect(only.path).toBe(join(directory, `${process.pid}.sock`));
  only.close();
});
