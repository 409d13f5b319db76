/** What `tsgun status` and `tsgun workers` print. Makes text only. */

import type { RequestDetail } from '../ipc/messages.ts';
import type { Status } from '../master/status.ts';
import { bytes, clean, count, cut, duration, table } from './text.ts';

/** A worker as the control socket describes it. */
export type WorkerStatus = Status['workers'][number] & {
  /** Of one that is unresponsive: its oldest requests. */
  readonly requestsRunning?: readonly RequestDetail[];
};

export type FullStatus = Omit<Status, 'workers'> & { readonly workers: readonly WorkerStatus[] };

export function renderStatus(status: FullStatus, width: number): string {
  return [...renderService(status, width), '', ...renderWorkers(status.workers, width)].join('\n');
}

function renderService(status: FullStatus, width: number): string[] {
  const { pid, version, app, state, generation, uptimeMs, addresses, workerClass, wanted, ready, requests } = status;
  const running = status.workers.reduce((sum, worker) => sum + worker.running, 0);
  const silent = status.workers.filter(({ unresponsive }) => unresponsive).length;
  const lines = [
    `tsgun ${version}, master ${pid}: ${clean(app)}, ${state}, generation ${generation}, up ${duration(uptimeMs)}`,
    `listening on ${clean(addresses.join(', '))} (${workerClass})`,
    `workers: ${ready} of ${wanted} ready${silent === 0 ? '' : `, ${silent} UNRESPONSIVE`}`,
    `requests: ${count(requests)} answered, ${running} running`,
  ];
  if (status.lastExit !== null) {
    const { worker, pid: gone, reason, agoMs } = status.lastExit;
    lines.push(
      `last exit: worker ${worker}${gone === undefined ? '' : ` (${gone})`}, ${reason}, ${duration(agoMs)} ago`,
    );
  }
  if (status.pausedMs > 0) lines.push(`the next spawn waits ${duration(status.pausedMs)}, after failures`);
  if (status.otherMaster !== null)
    lines.push(`beside it runs master ${status.otherMaster} (see USR2): name one by --pid`);
  return lines.map((line) => cut(line, width));
}

const columns = [
  { title: 'WORKER', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'GEN', align: 'right' },
  { title: 'STATE' },
  { title: 'UP', align: 'right' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'RUNNING', align: 'right' },
  { title: 'MEMORY', align: 'right' },
] as const;

/** One line each; below one that is unresponsive, what it is on. */
export function renderWorkers(workers: readonly WorkerStatus[], width: number): string[] {
  const rows = workers.map((worker) => [
    String(worker.worker),
    String(worker.pid ?? '-'),
    String(worker.generation),
    worker.unresponsive ? 'UNRESPONSIVE' : worker.state,
    duration(worker.uptimeMs),
    count(worker.requests),
    count(worker.running),
    bytes(worker.rssBytes),
  ]);
  const [head = '', ...lines] = table(columns, rows, width);
  const all = lines.flatMap((line, index) => [line, ...renderSilence(workers[index]!, width)]);
  return [head, ...all];
}

function renderSilence(
  { unresponsive, silentMs, requestsRunning = [], running }: WorkerStatus,
  width: number,
): string[] {
  if (!unresponsive) return [];
  const list = requestsRunning.map(
    ({ method, path, ms }) => `        on ${clean(method)} ${clean(path)} for ${duration(ms)}`,
  );
  const more = running - requestsRunning.length;
  const silence = `        silent for ${duration(silentMs)}${running === 0 ? ', without a request' : ''}`;
  return [silence, ...list, ...(more > 0 && list.length > 0 ? [`        and ${more} more`] : [])].map((line) =>
    cut(line, width),
  );
}
