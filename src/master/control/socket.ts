/**
 * The file of the control socket: where it is, who may connect, and its removal. Only this user and root reach it: its folder has
 * mode 0700, the socket 0600. Node cannot ask the system who a peer is, so these modes are the check.
 */

import { chmodSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { onExit } from 'signal-exit';
import { ConfigError, report } from '../../errors.ts';
import { controlDirectories, pidOfSocket, socketName } from '../../ipc/control.ts';
import type { Logger } from '../../logger.ts';
import { isLiving } from '../living.ts';
import { closer, identify } from '../sockets/socket-file.ts';
import { makeRoom } from '../sockets/unix-path.ts';

/** As with the pidfile: what follows the name while an older master has it. */
const besideSuffix = '.2';
/** When this queue is full, as while the master is suspended, further clients are refused. */
const backlog = 128;
/** Other users can neither read nor write. */
const privateMask = 0o177;

interface Opened {
  readonly path: string;
  close(): void;
}

export class ControlSocket {
  private readonly serve: (socket: Socket) => void;
  private opened: Opened | undefined = undefined;
  /** The setting of the socket that is open. */
  private setting: string | false | undefined = false;
  private isBeside: boolean;

  /**
   * @param serve takes each client's connection
   * @param isBeside whether another master, which started this one, goes on beside it
   */
  constructor(serve: (socket: Socket) => void, isBeside: boolean) {
    this.serve = serve;
    this.isBeside = isBeside;
  }

  get path(): string | undefined {
    return this.opened?.path;
  }

  /**
   * Listens as this setting says; what was open before stays so if that fails.
   * @param setting a path; false: no socket; undefined: one by the pid, in a folder of the user's
   * @throws ConfigError where the user has named the path; a default that fails is logged, and the service goes on without
   */
  async hold(setting: string | false | undefined, log: Logger): Promise<void> {
    if (this.opened !== undefined && setting === this.setting) return;
    if (setting === undefined) return this.holdDefault(log);
    if (setting === false) this.replace(undefined, setting);
    else await this.holdNamed(setting, `${setting}${this.isBeside ? besideSuffix : ''}`);
  }

  /** At a path of the user's. */
  private async holdNamed(setting: string, path: string): Promise<void> {
    const opened = await this.open(path);
    const link = await placeOfLink(this.opened?.path);
    // First: the end of a socket removes what has its name by then.
    this.close();
    const unlink = link === undefined ? () => {} : makeLink(resolve(path), link);
    const close = () => {
      unlink();
      opened.close();
    };
    this.replace({ path, close }, setting);
  }

  private async holdDefault(log: Logger): Promise<void> {
    try {
      const path = await defaultPath();
      // Of this process, or of one before it with the same pid.
      if (isLink(path)) rmSync(path, { force: true });
      this.replace(await this.open(path), undefined);
    } catch (error) {
      const remedy = 'name another place with --control-socket, or write --control-socket none';
      log.say(
        'warn',
        { error: report(error).message },
        `no control socket: commands such as tsgun status do not work; ${remedy}`,
      );
    }
  }

  private replace(next: Opened | undefined, setting: string | false | undefined): void {
    this.close();
    this.opened = next;
    this.setting = setting;
  }

  /** The older master has gone: the name that was asked for is free. */
  async promote(log: Logger): Promise<void> {
    if (!this.isBeside) return;
    this.isBeside = false;
    const { opened, setting } = this;
    if (opened === undefined || typeof setting !== 'string') return;
    try {
      await this.holdNamed(setting, setting);
    } catch (error) {
      log.say('error', { error: report(error).message }, `the control socket keeps its ${besideSuffix}`);
    }
  }

  close(): void {
    this.opened?.close();
    this.opened = undefined;
    this.setting = false;
  }

  private async open(path: string): Promise<Opened> {
    await roomFor(path);
    const server = createServer({ allowHalfOpen: false }, this.serve);
    await listen(server, path);
    // It must not keep a process alive that has nothing else to do.
    server.unref();
    // What fails later is one connection, such as for lack of a descriptor.
    server.on('error', () => {});
    const file = identify(path);
    const close = () => void server.close();
    return { path, close: file === undefined ? close : closer(file, close) };
  }
}

/** Where commands look for the socket of a master of whom they know the pid at most. */
async function defaultPath(): Promise<string> {
  const [directory = ''] = controlDirectories();
  makePrivate(directory);
  await sweep(directory);
  return join(directory, socketName(process.pid));
}

/**
 * Where a link to a socket belongs: by it `--pid`, `--pidfile` and a command that names no instance find a socket wherever it is.
 * @param own the socket of this process until now
 * @returns undefined where there can be none: then `--control-socket` finds it
 */
async function placeOfLink(own: string | undefined): Promise<string | undefined> {
  try {
    const link = await defaultPath();
    // Another one there may be that of a master in another container, which has the same pid.
    if (link !== own && !isLink(link)) await makeRoom(link, link);
    return link;
  } catch {
    return undefined;
  }
}

/** @returns what removes it */
function makeLink(target: string, link: string): () => void {
  try {
    // Of a process before this one with the same pid.
    rmSync(link, { force: true });
    symlinkSync(target, link);
  } catch {
    return () => {};
  }
  const remove = () => {
    try {
      // Not what has its place by now. Its inode says nothing: the system may give that of a removed file to the next one.
      if (readlinkSync(link) === target) unlinkSync(link);
    } catch {
      // Gone, or no link.
    }
  };
  const letGo = onExit(remove);
  return () => {
    letGo();
    remove();
  };
}

async function roomFor(path: string): Promise<void> {
  try {
    await makeRoom(path, path);
  } catch (error) {
    throw new ConfigError(report(error).message.replace(/^bind:/, 'controlSocket:'));
  }
}

/** The mode counts from the first moment: there is no time between the file and its mode. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new ConfigError(`controlSocket: ${path}: ${error.message}`)));
    server.once('listening', resolve);
    const mask = process.umask(privateMask);
    try {
      // Node binds within this call.
      server.listen({ path, backlog });
    } finally {
      process.umask(mask);
    }
  });
}

/** In a folder that everybody may write to, another user could have made one of that name first. @throws ConfigError */
function makePrivate(directory: string): void {
  mkdirSync(dirname(directory), { recursive: true });
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const stats = lstatSync(directory);
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.())
    throw new ConfigError(`controlSocket: ${directory} is not a folder of this user`);
  if ((stats.mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

/**
 * Removes the sockets of masters that were killed, and links to sockets. The pid of a master in another container means nothing here,
 * but its socket accepts, so it stays.
 */
async function sweep(directory: string): Promise<void> {
  for (const name of readdirSync(directory)) {
    const pid = pidOfSocket(name);
    const path = join(directory, name);
    if (pid === undefined || pid === process.pid || isLiving(pid)) continue;
    // What a link leads to may belong to the next master by now.
    if (isLink(path)) rmSync(path, { force: true });
    else await makeRoom(path, path).catch(() => {});
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
