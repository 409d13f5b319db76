/** The control socket as its clients meet it, in process. */

import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ControlOrder, maxOrderBytes } from '../../../src/ipc/control.ts';
import type { Logger } from '../../../src/logger.ts';
import { Clients, type Handle } from '../../../src/master/control/clients.ts';
import { ControlSocket } from '../../../src/master/control/socket.ts';
import { onTestFinished } from '../../current.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsgun-control-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const warnings: string[] = [];
const log: Logger = {
  event: () => {},
  say: (_level, { error }, message) => void warnings.push(`${message}: ${String(error)}`),
  reopen: () => {},
};

class Caller {
  received = '';
  readonly closed: Promise<unknown>;
  readonly socket: Socket;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => {
      this.received += bytes;
    });
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    onTestFinished(() => void this.socket.destroy());
  }

  say(...lines: object[]): void {
    this.socket.write(lines.map((each) => `${JSON.stringify(each)}\n`).join(''));
  }

  async answers(count: number): Promise<{ id: number; ok: boolean; result?: unknown; error?: string }[]> {
    await vi.waitFor(() => expect(this.received.split('\n').length).toBeGreaterThan(count), 10_000);
    return this.received
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
  }
}

async function serve(handle: Handle): Promise<string> {
  const path = join(folder(), 'c.sock');
  const clients = new Clients(handle);
  const socket = new ControlSocket(clients.serve, false);
  await socket.hold(path, log);
  onTestFinished(() => {
    socket.close();
    clients.close();
  });
  return path;
}

const status = { version: 1, id: 7, command: 'status' };

describe('the protocol', () => {
  it('answers one order after another, by their ids', async () => {
    const seen: string[] = [];
    const path = await serve(async ({ command }) => {
      seen.push(`${command} begins`);
      await new Promise(setImmediate);
      seen.push(`${command} ends`);
      return { command };
    });
    const caller = new Caller(path);
    caller.say(status, { ...status, id: 8, command: 'requests' });
    expect(await caller.answers(2)).toEqual([
      { version: 1, id: 7, ok: true, result: { command: 'status' } },
      { version: 1, id: 8, ok: true, result: { command: 'requests' } },
    ]);
    expect(seen).toEqual(['status begins', 'status ends', 'requests begins', 'requests ends']);
  });

  it.each<[object, string]>([
    [{ ...status, version: 2 }, 'this master speaks version 1 of the protocol, got 2'],
    [{ ...status, command: 'constructor' }, 'command: expected one of status,'],
    [{ ...status, command: 'scale', workers: 0 }, 'workers: expected a whole number from 1 to 1024, got 0'],
    [{ ...status, command: 'scale', workers: '4' }, 'workers: expected a whole number from 1 to 1024, got "4"'],
    [{ ...status, command: 'profile', seconds: 1e9 }, 'seconds: expected a number of seconds up to 300'],
    [{ ...status, command: 'stacks', pid: -1 }, 'pid: expected a whole number'],
    [{ ...status, command: 'log-level', level: 'loud' }, 'level: expected one of trace,'],
    [[], 'expected a JSON object'],
  ])('refuses %j', async (request, error) => {
    const orders: ControlOrder[] = [];
    const caller = new Caller(await serve(async (order) => orders.push(order)));
    caller.say(request);
    const [answer] = await caller.answers(1);
    expect(answer).toMatchObject({ ok: false, error: expect.stringContaining(error) });
    expect(orders).toEqual([]);
  });

  it('says what is no JSON, and goes on; what fails is the answer', async () => {
    const path = await serve(async ({ command }) => {
      if (command === 'stop') throw new Error('not now');
      return {};
    });
    const caller = new Caller(path);
    caller.socket.write('GET / HTTP/1.1\r\n');
    caller.say({ ...status, command: 'stop' }, status);
    expect((await caller.answers(3)).map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(caller.received).toContain('not now');
  });
});

describe('clients that go too far', () => {
  it('with an order that is too long are cut', async () => {
    const caller = new Caller(await serve(async () => ({})));
    caller.socket.write('x'.repeat(maxOrderBytes + 1));
    await caller.closed;
    expect(caller.received).toContain(`an order has at most ${maxOrderBytes} bytes`);
  });

  it('beyond 32 at once are refused, and there is room again when one has left', async () => {
    const path = await serve(async () => ({}));
    const callers = Array.from({ length: 32 }, () => new Caller(path));
    for (const caller of callers) caller.say(status);
    await Promise.all(callers.map((caller) => caller.answers(1)));
    const late = new Caller(path);
    await late.closed;
    expect(late.received).toContain('there are 32 clients already');
    callers[0]!.socket.destroy();
    await vi.waitFor(async () => {
      const next = new Caller(path);
      next.say(status);
      await Promise.race([next.answers(1), next.closed]);
      expect(next.received).toContain('"ok":true');
    }, 10_000);
  });

  it('that send orders while one is carried out wait in the kernel', async () => {
    let go = () => {};
    const first = new Promise<void>((resolve) => {
      go = resolve;
    });
    const path = await serve(() => first);
    const caller = new Caller(path);
    caller.say(status);
    await new Promise(setImmediate);
    // More than the buffers of a socket hold.
    const isTaken = caller.socket.write(Buffer.alloc(8 * 1024 * 1024, 'x'));
    expect(isTaken).toBe(false);
    go();
    await caller.closed;
    expect(caller.received).toMatch(/"id":7,"ok":true.*\n.*an order has at most/);
  });
});

describe('the file of the socket', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    warnings.length = 0;
  });
  const make = (isBeside = false) => {
    const socket = new ControlSocket(() => {}, isBeside);
    onTestFinished(() => socket.close());
    return socket;
  };
  const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);

  it('is this user’s alone, in a folder that is too, and is gone at the end', async () => {
    const runtime = folder();
    vi.stubEnv('XDG_RUNTIME_DIR', runtime);
    const socket = make();
    await socket.hold(undefined, log);
    const path = join(runtime, 'tsgun', `${process.pid}.sock`);
    expect([socket.path, modeOf(path), modeOf(join(runtime, 'tsgun'))]).toEqual([path, '600', '700']);
    socket.close();
    expect(existsSync(path)).toBe(false);
  });

  it('of masters that were killed are removed, and not one that lives where its number says nothing, in another container', async () => {
    const runtime = folder();
    vi.stubEnv('XDG_RUNTIME_DIR', runtime);
    mkdirSync(join(runtime, 'tsgun'));
    const stale = join(runtime, 'tsgun', '4194305.sock');
    const other = join(runtime, 'tsgun', 'notes.txt');
    const living = join(runtime, 'tsgun', '4194306.sock');
    const [left, kept] = [createServer(), createServer()];
    await once(left.listen(join(runtime, 'moved')), 'listening');
    renameSync(join(runtime, 'moved'), stale);
    left.close();
    await once(kept.listen(living), 'listening');
    onTestFinished(() => void kept.close());
    writeFileSync(other, '');
    await make().hold(undefined, log);
    expect([existsSync(stale), existsSync(living), existsSync(other)]).toEqual([false, true, true]);
  });

  it('is not made in a folder that is a link; the service goes on, with a warning', async () => {
    const runtime = folder();
    vi.stubEnv('XDG_RUNTIME_DIR', runtime);
    symlinkSync(folder(), join(runtime, 'tsgun'));
    const socket = make();
    await socket.hold(undefined, log);
    expect(socket.path).toBeUndefined();
    expect(warnings.join()).toMatch(/no control socket.*is not a folder of this user/);
  });

  it('at a path of the user’s is refused where something else is; what was open stays', async () => {
    const path = folder();
    const socket = make();
    await socket.hold(join(path, 'a.sock'), log);
    writeFileSync(join(path, 'file'), '');
    await expect(socket.hold(join(path, 'file'), log)).rejects.toThrow(/controlSocket: .*is not a socket/);
    const server = createServer().listen(join(path, 'taken.sock'));
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await expect(socket.hold(join(path, 'taken.sock'), log)).rejects.toThrow(/controlSocket: .*is in use/);
    expect(existsSync(join(path, 'a.sock'))).toBe(true);
    await socket.hold(join(path, 'b.sock'), log);
    expect([existsSync(join(path, 'a.sock')), modeOf(join(path, 'b.sock'))]).toEqual([false, '600']);
    await socket.hold(false, log);
    expect(existsSync(join(path, 'b.sock'))).toBe(false);
  });

  it('of a master beside another ends in .2 until that has gone', async () => {
    const path = join(folder(), 'c.sock');
    const [older, newer] = [make(), make(true)];
    await older.hold(path, log);
    await newer.hold(path, log);
    expect([existsSync(path), newer.path]).toEqual([true, `${path}.2`]);
    older.close();
    await newer.promote(log);
    expect([newer.path, existsSync(path), existsSync(`${path}.2`)]).toEqual([path, true, false]);
  });

  it('keeps the mode of a folder that is open to others from them', async () => {
    const runtime = folder();
    vi.stubEnv('XDG_RUNTIME_DIR', runtime);
    mkdirSync(join(runtime, 'tsgun'));
    chmodSync(join(runtime, 'tsgun'), 0o777);
    await make().hold(undefined, log);
    expect(modeOf(join(runtime, 'tsgun'))).toBe('700');
  });
});

describe('the socket of a master whose setting changes', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is found by the pid wherever it is, and leaves nothing behind', async () => {
    const path = folder();
    vi.stubEnv('XDG_RUNTIME_DIR', path);
    const found = join(path, 'tsgun', `${process.pid}.sock`);
    const [one, two] = [join(path, 'one.sock'), join(path, 'two.sock')];
    const socket = new ControlSocket((client) => client.destroy(), false);
    const seen: (string | undefined)[] = [];
    for (const setting of [one, two, undefined, one, undefined, false] as const) {
      await socket.hold(setting, log);
      const stats = lstatSync(found, { throwIfNoEntry: false });
      seen.push(
        stats?.isSymbolicLink() === true ? readlinkSync(found) : stats?.isSocket() === true ? 'itself' : undefined,
      );
    }
    expect(seen).toEqual([one, two, 'itself', one, 'itself', undefined]);
    expect([one, two].some((name) => existsSync(name))).toBe(false);
  });

  it('takes the name of another one with its pid only if that is dead', async () => {
    const path = folder();
    vi.stubEnv('XDG_RUNTIME_DIR', path);
    const found = join(path, 'tsgun', `${process.pid}.sock`);
    mkdirSync(join(path, 'tsgun'), { mode: 0o700 });
    const other = createServer().listen(found);
    await once(other, 'listening');
    const socket = new ControlSocket((client) => client.destroy(), false);
    await socket.hold(join(path, 'one.sock'), log);
    expect(lstatSync(found).isSocket()).toBe(true);
    socket.close();
    expect(existsSync(found)).toBe(true);
    other.close();
    // What a process of this pid has left.
    rmSync(found, { force: true });
    symlinkSync(join(path, 'gone.sock'), found);
    await socket.hold(undefined, log);
    expect(lstatSync(found).isSocket()).toBe(true);
    socket.close();
  });
});
