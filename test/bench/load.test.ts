/** What `npm run bench` sends, how it judges the answers, and how it starts its peers. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { load, type Peer, type Scenario } from './scripts.ts';

const { luaOf, readWrk, lengthFault } = await load<{
  luaOf(load: Record<string, unknown>): string;
  readWrk(text: string): Record<string, unknown>;
  lengthFault(counted: { requests: number; bytes: number }, size: number, open: number): string | undefined;
}>('lib/generator.mjs');
const { readH2load } = await load<{
  readH2load(text: string, protocol: string, bodyBytes: number): Record<string, number>;
}>('lib/h2load.mjs');
const { wholeAnswer, textOf } = await load<{
  wholeAnswer(text: string): { status: number; bytes: number; body: string } | undefined;
  textOf(request: Record<string, unknown>, port: number): string;
}>('lib/raw-request.mjs');
const { figuresOf, kindsOf, longestSilence } = await load<{
  figuresOf(results: readonly Result[]): Record<string, unknown>;
  kindsOf(results: readonly Result[]): string;
  longestSilence(results: readonly Result[]): number;
}>('lib/bad-day.mjs');
const { scenarios } = await load<{ scenarios: Scenario[] }>('scenarios/index.mjs');
const { peers, quickPeers } = await load<{ peers: Peer[]; quickPeers: string[] }>('peers/index.mjs');

type Result = { status: number; fault: string; length: number; sentAt: number; ms: number };
const good = (sentAt: number, ms = 1): Result => ({ status: 200, fault: '', length: 14, sentAt, ms });
const bad = (sentAt: number, status: number, fault = ''): Result => ({ status, fault, length: 0, sentAt, ms: 1 });

describe('the load', () => {
  it('is a script for wrk that closes one connection in ten', () => {
    const lua = luaOf({ path: '/', connections: 1, requestsPerConnection: 10 });
    expect(lua).toContain('count % 10 == 0');
    expect(luaOf({ method: 'POST', bodyBytes: 3 })).toContain("wrk.body = string.rep('x', 3)");
  });

  it('is read from what wrk prints', () => {
    const text = '    50%  250.00us\n    99%    1.50ms\nRequests/sec:  1234.5\nexact 100 15000 0 2 0 1 0\n';
    expect(readWrk(text)).toEqual({
      ...{ requests: 100, bytes: 15000, rate: 1234.5, p50: 0.25, p99: 1.5 },
      errors: ['2 × read', '1 × status'],
    });
    expect(() => readWrk('unable to connect')).toThrow('unable to connect');
  });

  it('finds answers that are too long or too short by the bytes of all', () => {
    expect(lengthFault({ requests: 1000, bytes: 150_000 + 31 * 150 }, 150, 32)).toBeUndefined();
    expect(lengthFault({ requests: 1000, bytes: 130_000 }, 150, 32)).toBe(
      '1000 answers had 130000 bytes, where right ones have 150000',
    );
  });

  it('is read from what h2load prints, and counts only whole right answers by the right protocol', () => {
    const text = (changes: Record<string, string>) => {
      const lines = [
        'Application protocol: h2',
        'finished in 2.00s, 500.00 req/s, 60.00KB/s',
        'requests: 1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout',
        'status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx',
        'traffic: 120.00KB (120000) total, 30.00KB (30000) headers (space savings 60.00%), 13.67KB (14000) data',
        'time for request:      250us      9.50ms      1.50ms       300us    81.00%',
      ].join('\n');
      return Object.entries(changes).reduce((all, [from, to]) => all.replace(from, to), lines);
    };
    const read = (changes: Record<string, string> = {}) => readH2load(text(changes), 'h2', 14);
    expect(read()).toEqual({ requests: 1000, rate: 500, meanMs: 1.5 });
    expect(() => read({ 'protocol: h2': 'protocol: http/1.1' })).toThrow('it speaks http/1.1, not h2');
    expect(() => read({ '0 failed': '3 failed' })).toThrow('3 × failed');
    expect(() => read({ '1000 2xx, 0 3xx, 0 4xx': '998 2xx, 0 3xx, 2 4xx' })).toThrow('2 × not 2xx');
    expect(() => read({ '(14000) data': '(13986) data' })).toThrow('1000 answers had 13986 bytes');
    expect(() => read({ '1000 succeeded': '0 succeeded' })).toThrow('no request was answered');
  });

  it('measures the right answer on a socket', () => {
    expect(textOf({ path: '/', headers: { A: 'b' } }, 80)).toBe('GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\nA: b\r\n\r\n');
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc';
    expect(wholeAnswer(answer.slice(0, -1))).toBeUndefined();
    expect(wholeAnswer(answer)).toEqual({ status: 200, bytes: answer.length, body: 'abc' });
    expect(() => wholeAnswer('HTTP/1.1 200 OK\r\n\r\n')).toThrow('without Content-Length');
  });
});

describe('requests of a bad day', () => {
  const results = [
    good(0),
    good(10),
    bad(20, 0, 'ECONNREFUSED'),
    bad(30, 0, 'ECONNREFUSED'),
    bad(40, 502),
    good(500),
    good(510),
  ];

  it('have failed unless the whole right answer came', () => {
    expect(kindsOf(results.slice(2, 5))).toBe('2 × refused, 1 × 502');
    expect(kindsOf([{ ...good(0), length: 3 }])).toBe('1 × wrong length');
    expect(figuresOf(results)).toMatchObject({ requests: 7, failed: 3, p99: 1 });
  });

  it('tell for how long nobody served', () => {
    expect(longestSilence(results)).toBe(490);
    expect(longestSilence([bad(0, 503), bad(100, 503)])).toBe(100);
    expect(longestSilence([])).toBe(0);
  });
});

describe('the peers and scenarios', () => {
  it('have names of their own', () => {
    const names = [...peers, ...scenarios].map(({ id }) => id);
    expect(new Set(names).size).toBe(names.length);
    expect(quickPeers.every((id) => names.includes(id))).toBe(true);
  });

  it('say of each scenario that a peer lacks why, and lack only ones there are', () => {
    const ids = new Set(scenarios.map(({ id }) => id));
    for (const { id, lacks } of peers)
      for (const [scenario, why] of Object.entries(lacks ?? {}))
        expect([id, scenario, ids.has(scenario), why !== '']).toEqual([id, scenario, true, true]);
  });

  const own = [
    'tsgun',
    'tsgun-fastify',
    'node-http',
    'node-cluster-rr',
    'gunicorn-sync',
    'gunicorn-gthread',
    'gunicorn-gevent',
    'uvicorn',
    'uwsgi',
    'puma',
    'passenger',
    'nginx',
    'h2o',
  ];
  it.each(own)('%s is started with its port and its workers', (id) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsgun-peer-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { command, env = {} } = peers.find((peer) => peer.id === id)!.command({ port: 12345, workers: 3, folder });
    const files = command
      .filter((word) => word.startsWith(folder) && /\.(conf|rb)$/.test(word))
      .map((file) => readFileSync(file, 'utf8'));
    const all = [...command, ...Object.values(env), ...files].join(' ');
    expect(all).toContain('12345');
    if (id !== 'node-http') expect(all).toMatch(/\b3\b/);
    for (const path of command.filter((word) => word.includes('/bench/')))
      expect(existsSync(path.replace(/:\w+$/, '')), path).toBe(true);
  });
});
