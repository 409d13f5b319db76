/** Which running instance a command is for: the one that is named, that of the configuration, or the only one that this user has. */

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { controlDirectories, pidOfSocket, socketName } from '../ipc/control.ts';
import { isLiving } from '../master/living.ts';
import type { Status } from '../master/status.ts';
import { ControlClient } from './client.ts';
import { configured } from './configured.ts';
import { CommandError, NobodyThere } from './failures.ts';
import type { Target } from './target.ts';
import { clean } from './text.ts';

const remedy =
  'if it runs as another user, or its folder for sockets is another, name its socket by --control-socket PATH';

/**
 * @param directories where sockets are by default
 * @throws NobodyThere, or CommandError where there are several
 */
export async function find(target: Target, directories = controlDirectories()): Promise<ControlClient> {
  const isNamed = target.controlSocket !== undefined || target.pid !== undefined || target.pidfile !== undefined;
  const { controlSocket, pid, pidfile } = isNamed ? target : await configured();
  if (controlSocket !== undefined) return ControlClient.open(resolve(controlSocket.replace(/^unix:/, '')));
  if (pidfile !== undefined) return findPid(readPidfile(pidfile), directories, ` (of ${pidfile})`);
  if (pid !== undefined) return findPid(pid, directories, '');
  const found = await findAll(directories);
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new NobodyThere(`no tsgun of this user runs (no socket in ${directories.join(' or ')}); ${remedy}`);
  const lines = await Promise.all(found.map(introduce));
  for (const client of found) client.close();
  throw new CommandError(`${found.length} instances run: name one by --pid\n${lines.join('\n')}`);
}

async function findPid(pid: number, directories: readonly string[], of: string): Promise<ControlClient> {
  for (const directory of directories) {
    const path = join(directory, socketName(pid));
    if (!isSafe(directory) || !isThere(path)) continue;
    return ControlClient.open(path);
  }
  throw new NobodyThere(`no tsgun with pid ${pid}${of} has a socket in ${directories.join(' or ')}; ${remedy}`);
}

/** All that can be reached. What a master that was killed has left is passed over. */
async function findAll(directories: readonly string[]): Promise<ControlClient[]> {
  const paths = directories.filter(isSafe).flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => pidOfSocket(name) !== undefined)
      .map((name) => join(directory, name))
      .filter(isThere),
  );
  const opened = await Promise.allSettled(paths.map((path) => ControlClient.open(path)));
  const refused = opened.find(
    ({ status, ...more }) => status === 'rejected' && !('reason' in more && more.reason instanceof NobodyThere),
  );
  const clients = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (clients.length === 0 && refused?.status === 'rejected') throw refused.reason;
  return clients;
}

/**
 * Whether a master's entry is there: its socket, or the link to it. The link of a master that was killed may lead to the socket
 * of its successor, which has an entry of its own.
 */
function isThere(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && (!stats.isSymbolicLink() || isLiving(pidOfSocket(basename(path))!));
}

/** In a folder that all may write to, somebody else's folder of this name could lead to a false master. */
function isSafe(directory: string): boolean {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.geteuid?.();
}

async function introduce(client: ControlClient): Promise<string> {
  try {
    const { pid, app, addresses, uptimeMs, otherMaster } = await client.ask<Status>({ command: 'status' });
    const beside = otherMaster === null ? '' : `, beside master ${otherMaster}`;
    return `  --pid ${pid}  ${clean(app)} on ${clean(addresses.join(', '))}, up ${Math.round(uptimeMs / 1000)} s${beside}`;
  } catch (error) {
    return `  ${client.path}: ${(error as Error).message}`;
  }
}

/** @throws NobodyThere where there is no such file; CommandError where it has no pid */
function readPidfile(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new NobodyThere(`pidfile: ${path} is not there: does tsgun run?`);
    throw new CommandError(`pidfile: cannot read ${path} (${code})`);
  }
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new CommandError(`pidfile: ${path} holds no process id`);
}
