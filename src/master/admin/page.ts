/** The status page for a browser: one table, refreshed by the browser itself. It has no script that could be misused. */

import type { WorkerRequests } from '../children/running.ts';
import type { Snapshot, WorkerSnapshot } from '../snapshot.ts';

const refreshSeconds = 2;

const style = `
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color-scheme: light dark }
table { border-collapse: collapse } td, th { padding: .2em 1em .2em 0; text-align: right }
th { font-weight: normal; opacity: .7 } td:nth-child(3), th:nth-child(3) { text-align: left }
.bad { color: #c33; font-weight: bold }`;

/** @param reasons why it is not ready; empty if it is */
export function statusPage(
  state: Omit<Snapshot, 'lastExit'> & { readonly lastExit: Snapshot['lastExit'] | null },
  reasons: readonly string[],
  running: readonly WorkerRequests[],
): string {
  const { pid, version, generation, uptimeMs, wanted, ready, workers, requests, lastExit } = state;
  const health =
    reasons.length === 0 ? 'ready' : `<span class="bad">not ready: ${escapeHtml(reasons.join('; '))}</span>`;
  const lines = [
    `${health}, ${state.state}`,
    `${ready} of ${wanted} workers ready, generation ${generation}, ${requests} requests, up for ${duration(uptimeMs)}`,
    lastExit == null
      ? 'no worker has left yet'
      : `last exit: worker ${lastExit.worker} (pid ${lastExit.pid ?? 'none'}), ${lastExit.reason}, ${duration(lastExit.agoMs)} ago`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tsgun: ${state.state}</title>
<meta http-equiv="refresh" content="${refreshSeconds}"><style>${style}
</style></head><body>
<h1>tsgun ${escapeHtml(version)}, pid ${pid}</h1>
${lines.map((line) => `<p>${line}</p>`).join('\n')}
<table><tr><th>worker<th>pid<th>state<th>generation<th>up for<th>requests<th>running<th>memory</tr>
${workers.map(row).join('\n')}
</table>
<h2>running requests</h2>
<table><tr><th>worker<th>for<th>request</tr>
${running.flatMap(requestRows).join('\n')}
</table></body></html>
`;
}

function row(worker: WorkerSnapshot): string {
  const { pid, state, generation, uptimeMs, requests, running, rssBytes, unresponsive, silentMs } = worker;
  const shown = !unresponsive ? state : `<span class="bad">${state}, silent for ${duration(silentMs)}</span>`;
  const cells = [worker.worker, pid ?? '', shown, generation, duration(uptimeMs), requests, running];
  return `<tr>${[...cells, `${Math.round(rssBytes / 2 ** 20)} MiB`].map((cell) => `<td>${cell}`).join('')}</tr>`;
}

/** How many requests of a worker the page shows. */
const mostRequests = 20;

function requestRows({ worker, requests, more }: WorkerRequests): string[] {
  const shown = requests.slice(0, mostRequests);
  const rest = more + requests.length - shown.length;
  return [
    ...shown.map(
      ({ method, path, ms }) => `<tr><td>${worker}<td>${duration(ms)}<td>${escapeHtml(`${method} ${path}`)}</tr>`,
    ),
    ...(rest > 0 ? [`<tr><td>${worker}<td><td>and ${rest} more</tr>`] : []),
  ];
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
