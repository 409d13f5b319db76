/** The numbers of workers: 1 to N at rest, and the same wherever they are shown. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

const cli = new URL('../../dist/cli.js', import.meta.url).pathname;

const files = {
  'app.mjs': `import { existsSync, writeFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    export default async (env, startResponse) => {
      if (env.PATH_INFO === '/wait') writeFileSync('waits', String(process.pid));
      while (env.PATH_INFO === '/wait' && !existsSync('go')) await setTimeout(10);
      startResponse('200 OK', []);
      return [String(process.pid)];
    };`,
  'tsgun.config.mjs': `export default {
    preRequest: ({ id, log }) => log.info('called by worker %d', id),
  };`,
};

interface Listed {
  readonly pid: number;
  readonly worker: number;
  readonly state: string;
}

class Service {
  readonly tsgun: Tsgun;
  readonly path: string;
  readonly write: (name: string, text: string) => void;
  /** CPU seconds by number, at the last look. */
  private cpu = new Map<string, number>();

  constructor(...args: string[]) {
    const { path, write } = makeFolder(files);
    this.path = path;
    this.write = write;
    const own = ['--admin-bind', '127.0.0.1:0', '--control-socket', join(path, 'control'), '--log-level', 'debug'];
    const access = ['--access-logfile', 'access', '--access-logformat', 'json'];
    this.tsgun = start('app.mjs', ['--workers', '2', ...own, ...access, ...args], { cwd: path });
  }

  async command<T>(...words: string[]): Promise<T> {
    const all = [cli, ...words, '--json', '--control-socket', 'control'];
    const { stdout } = await promisify(execFile)(process.execPath, all, { cwd: this.path });
    return JSON.parse(stdout) as T;
  }

  async listed(): Promise<Listed[]> {
    return (await this.command<{ workers: Listed[] }>('status')).workers;
  }

  /** The numbers in the metrics: each once, and its CPU time has not fallen since the last look. */
  async scraped(): Promise<number[]> {
    const { admin } = this.tsgun.log.findLast((line) => line.admin !== undefined)!;
    const answer = await fetch(`http://${String(admin)}/metrics`, { headers: { connection: 'close' } });
    const text = await answer.text();
    const of = (name: string) => [...text.matchAll(new RegExp(`^${name}{worker="(\\d+)"} (\\S+)$`, 'gm'))];
    const cpu = of('tsgun_worker_cpu_seconds_total');
    for (const [, worker, value] of cpu) {
      expect([worker, Number(value) >= (this.cpu.get(worker!) ?? 0)]).toEqual([worker, true]);
      this.cpu.set(worker!, Number(value));
    }
    const numbers = cpu.map(([, worker]) => Number(worker));
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const gauge of ['resident_bytes', 'heap_used_bytes', 'uptime_seconds', 'generation'])
      expect(of(`tsgun_worker_${gauge}`).map(([, worker]) => Number(worker))).toEqual(numbers);
    return numbers;
  }

  /** From now on, until the test is over. @returns a function that fails if a look has failed */
  watch(): () => Promise<void> {
    let isOver = false;
    const looking = (async () => {
      while (!isOver) await this.scraped();
    })();
    looking.catch(() => {});
    const end = () => {
      isOver = true;
      return looking;
    };
    onTestFinished(() => void end().catch(() => {}));
    return end;
  }

  /** At rest: as many workers as are wanted, each in its place, in all places. */
  async rests(workers: number): Promise<Listed[]> {
    const numbers = Array.from({ length: workers }, (_, index) => index + 1);
    await eventually(async () => (await this.scraped()).join() === numbers.join());
    const isReady = (pid: number) => this.tsgun.lines('worker_ready').some((line) => line.pid === pid);
    const living = () => this.tsgun.living();
    await this.tsgun.until(() => living().length === workers && living().every(isReady), 'as many that are ready');
    const listed = await this.listed();
    expect(listed.map(({ worker, state }) => `${worker} ${state}`)).toEqual(numbers.map((number) => `${number} ready`));
    const shown = await this.command<Listed[]>('workers');
    expect(shown.map(({ pid, worker }) => [pid, worker])).toEqual(listed.map(({ pid, worker }) => [pid, worker]));
    for (const { pid, worker } of listed) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toMatch(new RegExp(`worker ${worker}, generation`));
      // Whoever answers: sooner or later each of them does.
      await eventually(async () => Number(await this.tsgun.ask()) === pid);
      await this.tsgun.until(
        () => this.tsgun.log.some((line) => line.pid === pid && line.msg === `called by worker ${worker}`),
        `a hook that is called with ${pid} as worker ${worker}`,
      );
      await eventually(() => this.logged(pid) === worker);
    }
    return listed;
  }

  /** The process in which a request waits; 0 if it is not known yet. */
  get waiting(): number {
    const path = join(this.path, 'waits');
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  }

  /** The number that the access log has last for a process. */
  private logged(pid: number): unknown {
    const lines = readFileSync(join(this.path, 'access'), 'utf8').trim().split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line)).findLast((line) => line.pid === pid)?.worker;
  }

  /** The rolled-out generation serves, and the workers of the one before have left. */
  async reload(): Promise<void> {
    const old = this.tsgun.living();
    this.tsgun.signal('SIGHUP');
    await this.tsgun.until(() => !this.tsgun.living().some((pid) => old.includes(pid)), 'the end of the old workers');
  }
}

describe.each(['sync', 'threaded', 'async'])('the numbers of %s workers', (workerClass) => {
  it('are 1 to N at rest, after a reload, crashes and each change of the count', { timeout: 90_000 }, async () => {
    const service = new Service('--worker-class', workerClass, '--threads', '2');
    const { tsgun } = service;
    await tsgun.workers(2);
    const endWatch = service.watch();
    await service.rests(2);
    await service.reload();
    const [first, second] = await service.rests(2);

    process.kill(second!.pid, 'SIGKILL');
    await tsgun.until(() => tsgun.lines('worker_exited').some(({ pid }) => pid === second!.pid), 'the end');
    expect((await service.rests(2))[0]).toMatchObject({ pid: first!.pid, worker: 1 });

    tsgun.signal('SIGTTIN');
    await service.rests(3);
    tsgun.signal('SIGTTOU');
    await tsgun.event('scaled', 2);
    await service.rests(2);
    // In the middle of a reload.
    for (const [index, workers] of [3, 1].entries()) {
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_started', 2 + index);
      await service.command('scale', String(workers));
      await tsgun.event('reload_finished', 2 + index);
      await service.rests(workers);
    }
    await endWatch();
    await tsgun.stop();
  });

  it('are taken over once the process that had one is gone, and not before', { timeout: 60_000 }, async () => {
    const service = new Service('--worker-class', workerClass, '--threads', '2');
    const { tsgun } = service;
    await tsgun.workers(2);
    const waiting = await tsgun.connect();
    waiting.send('GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await eventually(() => tsgun.living().includes(service.waiting));
    const pid = service.waiting;
    const { worker } = (await service.listed()).find((each) => each.pid === pid)!;
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.until(() => tsgun.lines('worker_exited').length === 1, 'the end of the other');
    // The other's successor has taken over; this one's has the number with which it was spawned.
    await eventually(async () => /^1,2,[34]$/.test((await service.scraped()).join()));
    const listed = await service.listed();
    expect(listed.find((each) => each.pid === pid)).toMatchObject({ worker, state: 'retiring' });
    const successor = listed.find((each) => each.worker > 2)!;
    service.write('go', '');
    await waiting.until(/200 OK/);
    const now = await service.rests(2);
    expect(now.find((each) => each.pid === successor.pid)!.worker).toBe(worker);
    const line = tsgun.log.find((each) => each.pid === successor.pid && each.before === successor.worker);
    expect(line).toMatchObject({ level: 'debug', worker });
    // What the worker itself says.
    process.kill(successor.pid, 'SIGTERM');
    await tsgun.until(() => tsgun.lines('worker_exited').some((each) => each.pid === successor.pid), 'its end');
    expect(tsgun.lines('worker_recycled')).toMatchObject([{ pid: successor.pid, worker, reason: 'killed' }]);
    expect(tsgun.lines('worker_exited').at(-1)).toMatchObject({ pid: successor.pid, worker });
    await service.rests(2);
    await tsgun.stop();
  });

  it('are 1 to N after workers were recycled', { timeout: 60_000 }, async () => {
    const service = new Service('--worker-class', workerClass, '--threads', '2', '--max-requests', '40');
    const { tsgun } = service;
    await tsgun.workers(2);
    const endWatch = service.watch();
    while (tsgun.lines('worker_exited').length < 2) await tsgun.ask();
    await endWatch();
    await tsgun.until(() => tsgun.living().length === 2, 'the end of those that were recycled');
    await eventually(async () => (await service.scraped()).join() === '1,2');
    await tsgun.stop();
  });
});
