/** What the admin listener answers: from a request and the state of the service to an answer. Pure, and read-only. */

import type { WorkerRequests } from '../children/running.ts';
import { expose, type Family, typeFor } from '../metrics/exposition.ts';
import type { Status } from '../status.ts';
import { statusPage } from './page.ts';
import { unreadyReasons } from './readiness.ts';
import type { AdminAnswer, AdminRequest } from './server.ts';

const textType = 'text/plain; charset=utf-8';
const text = (status: number, body: string, headers?: AdminAnswer['headers']): AdminAnswer => ({
  status,
  type: textType,
  body: `${body}\n`,
  ...(headers === undefined ? {} : { headers }),
});

/** The state of the service, as the master says it at any time. */
export interface AdminState {
  status(): Status;
  /** Within 200 ms. */
  requests(): Promise<WorkerRequests[]>;
  metrics(): Promise<Family[]>;
}

type Route = (state: AdminState, request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

const routes: Readonly<Record<string, Route>> = {
  // It says only that the master answers.
  '/livez': () => text(200, 'ok'),
  '/readyz': readiness,
  '/healthz': readiness,
  '/metrics': metrics,
  '/status': status,
};

export async function answerAdmin(state: AdminState, request: AdminRequest): Promise<AdminAnswer> {
  const path = request.target.split('?', 1)[0]!;
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return text(404, `not found: there are ${Object.keys(routes).join(', ')}`);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return text(405, `${path} takes GET and HEAD only`, { Allow: 'GET, HEAD' });
  return route(state, request);
}

function readiness(state: AdminState): AdminAnswer {
  const reasons = unreadyReasons(state.status());
  if (reasons.length === 0) return text(200, 'ready');
  return text(503, ['not ready', ...reasons].join('\n'), { 'Retry-After': '1' });
}

async function status(state: AdminState, { accept }: AdminRequest): Promise<AdminAnswer> {
  const running = (await state.requests()).map(withoutQueries);
  const status = state.status();
  const reasons = unreadyReasons(status);
  if (/\btext\/html\b/.test(accept))
    return {
      status: 200,
      type: 'text/html; charset=utf-8',
      body: statusPage(status, reasons, running),
      headers: { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'" },
    };
  const document = { ...status, isReady: reasons.length === 0, reasons, running };
  return { status: 200, type: 'application/json', body: `${JSON.stringify(document, undefined, 2)}\n` };
}

async function metrics(state: AdminState, { accept }: AdminRequest): Promise<AdminAnswer> {
  const type = typeFor(accept);
  return { status: 200, type, body: expose(await state.metrics(), type) };
}

/** Queries may hold secrets: only clients of the control socket see them. */
function withoutQueries(worker: WorkerRequests): WorkerRequests {
  return { ...worker, requests: worker.requests.map(({ query: _, ...request }) => request) };
}
