import { describe, expect, it } from 'vitest';
import { answerAdmin } from '../../../src/master/admin/answers.ts';
import { unreadyReasons } from '../../../src/master/admin/readiness.ts';
import { noteOverslept, noteStopping } from '../../../src/master/notes.ts';
import { type Snapshot, snapshot } from '../../../src/master/snapshot.ts';
import { statusOf } from '../../../src/master/status.ts';
import { beat, poolOf, spawn, spawnReady } from '../fixtures.ts';

const identity = { pid: 7, version: '1.2.3', startedAt: 0 };

function ask(state: Snapshot, target: string, accept = '*/*', method = 'GET') {
  const settings = { workerClass: 'async', procName: 'tsgun' } as const;
  const status = () => statusOf(state, { app: 'app.ts', addresses: [], settings, otherMaster: undefined });
  const request = { method: 'GET', path: '/<slow>', query: 'secret', ms: 130_000 };
  const about = { pid: 8, worker: 1, generation: 1, unresponsive: true, isKnown: true };
  const requests = async () => [{ ...about, requests: [request], more: 2 }] as never;
  const families = [{ name: 'tsgun_x', type: 'counter', help: 'H.', samples: [{ value: 1 }] }] as const;
  return answerAdmin({ status, requests, metrics: async () => families as never }, { method, target, accept });
}

function serving(silentMs = 0): Snapshot {
  const pool = poolOf(1);
  spawnReady(pool, 1000);
  return snapshot(pool, identity, 1000 + silentMs);
}

describe('/readyz', () => {
  it('is 503 before the first worker, and says so', async () => {
    const pool = poolOf(1);
    spawn(pool, 0);
    const answer = await ask(snapshot(pool, identity, 10), '/readyz');
    expect(answer).toMatchObject({ status: 503, body: 'not ready\nno worker has been ready yet\n' });
  });

  it('is 200 while a worker is ready and heard of', async () => {
    expect(await ask(serving(1900), '/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
    expect(await ask(serving(), '/healthz')).toMatchObject({ status: 200 });
  });

  it('is 503 when every worker has been silent for two seconds, and names them', async () => {
    const { status, body } = await ask(serving(2400), '/readyz');
    expect({ status, body }).toEqual({
      status: 503,
      body: 'not ready\nworker 1 (pid undefined) has been silent for 2.4 s\n',
    });
  });

  it('is 200 while one of them is heard of', async () => {
    const pool = poolOf(2);
    spawnReady(pool, 0);
    beat(pool, spawnReady(pool, 0), {}, 4000);
    expect(unreadyReasons(snapshot(pool, identity, 5000))).toEqual([]);
  });

  it('does not count the time in which the master itself did not run', async () => {
    const pool = poolOf(1);
    spawnReady(pool, 0);
    noteOverslept(pool, 8000, 9000);
    expect(unreadyReasons(snapshot(pool, identity, 9000))).toEqual([]);
    expect(unreadyReasons(snapshot(pool, identity, 10_100))).toHaveLength(1);
  });

  it('is 503 in a stop', async () => {
    const pool = poolOf(1);
    spawnReady(pool, 0);
    noteStopping(pool, 'graceful', 10);
    expect(await ask(snapshot(pool, identity, 10), '/readyz')).toMatchObject({ status: 503 });
  });
});

describe('/livez', () => {
  it('is 200 whatever the workers do', async () => {
    expect(await ask(serving(60_000), '/livez')).toMatchObject({ status: 200, body: 'ok\n' });
  });
});

describe('/status', () => {
  it('is JSON, with what follows from the state', async () => {
    const { type, body } = await ask(serving(2500), '/status');
    expect(type).toBe('application/json');
    expect(body).not.toContain('secret');
    expect(JSON.parse(body)).toMatchObject({
      pid: 7,
      isReady: false,
      reasons: [expect.stringContaining('silent')],
      workers: [{ worker: 1, state: 'ready', unresponsive: true, silentMs: 2500 }],
      running: [{ worker: 1, requests: [{ path: '/<slow>' }] }],
    });
  });

  it('is a page for a browser, which refreshes itself and runs no script', async () => {
    const { type, body, headers } = await ask(serving(2500), '/status?x', 'text/html,application/xhtml+xml;q=0.9');
    expect(type).toBe('text/html; charset=utf-8');
    expect(headers).toMatchObject({ 'Content-Security-Policy': expect.stringContaining("default-src 'none'") });
    expect(body).toContain('http-equiv="refresh"');
    expect(body).toContain('<td>1<td>2 min<td>GET /&#60;slow&#62;</tr>\n<tr><td>1<td><td>and 2 more</tr>');
    expect(body).toMatch(/<td>1<td><td><span class="bad">ready, silent for 3 s</);
  });
});

describe('/metrics', () => {
  it('is of the type that the client asks for', async () => {
    const plain = await ask(serving(), '/metrics', '*/*');
    expect(plain).toMatchObject({ type: 'text/plain; version=0.0.4; charset=utf-8' });
    expect(plain.body).toBe('# HELP tsgun_x_total H.\n# TYPE tsgun_x_total counter\ntsgun_x_total 1\n');
    const open = await ask(serving(), '/metrics', 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
    expect(open).toMatchObject({ type: 'application/openmetrics-text; version=1.0.0; charset=utf-8' });
    expect(open.body).toBe('# HELP tsgun_x H.\n# TYPE tsgun_x counter\ntsgun_x_total 1\n# EOF\n');
  });
});

describe('what is refused', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s: 405 with what is allowed', async (method) => {
    expect(await ask(serving(), '/status', '*/*', method)).toMatchObject({
      status: 405,
      headers: { Allow: 'GET, HEAD' },
    });
  });

  it.each(['/', '/nothing', '/livez/', '/constructor', 'http://x/livez'])('%s: 404', async (path) => {
    expect(await ask(serving(), path)).toMatchObject({ status: 404, body: expect.stringContaining('/readyz') });
  });
});
