import { describe, expect, it } from 'vitest';
import { crossCheck } from '../../src/config/cross-checks.ts';
import { resolveSettings } from '../../src/config/load.ts';

/** Each value from a source of its own name. */
function check(values: Record<string, unknown>, isRoot = true) {
  const sources = Object.entries(values).map(([name, value]) => ({ name: `--${name}`, values: { [name]: value } }));
  return crossCheck(resolveSettings(sources), { isRoot });
}

describe('settings that contradict each other are refused', () => {
  it.each([
    [
      { user: 'web' },
      /^user: only root can change it, and this process is of user \d+: start as root, or leave it out \(--user\)$/,
    ],
    [{ group: '33' }, /^group: only root can change it/],
    [
      { adminBind: '0.0.0.0:9100' },
      /^adminBind: 0\.0\.0\.0:9100 can be reached .* add --admin-public .*\(--adminBind\)$/,
    ],
    [
      { workers: 4, maxWorkers: 3 },
      /^maxWorkers: expected at least the number of workers \(4\), got 3 \(--maxWorkers\)$/,
    ],
    [
      { adminBind: '127.0.0.1:8000' },
      /^adminBind: expected an address of its own, got 127\.0\.0\.1:8000, and bind names 127\.0\.0\.1:8000 \(--adminBind; bind: default\)$/,
    ],
    [{ bind: '0.0.0.0:1', adminBind: 'localhost:1' }, /^adminBind: .*, got localhost:1, and bind names 0\.0\.0\.0:1 /],
    [{ bind: 'https://h:1', devTls: true, adminBind: 'h:1', adminPublic: true }, /and bind names https:\/\/h:1 /],
    [
      { bind: 'unix:/run/x', controlSocket: '/run/x' },
      /^controlSocket: expected a file of its own, got \/run\/x, which bind names too \(--controlSocket; bind: --bind\)$/,
    ],
    [{ bind: 'unix:/run/x', adminBind: 'unix:/run/y/../x' }, /^adminBind: .* which bind names too /],
    [{ pidfile: '/run/x', errorLogfile: '/run/x' }, /^errorLogfile: .* which pidfile names too /],
    [{ pidfile: 'x', accessLogfile: './x' }, /^accessLogfile: .* which pidfile names too /],
    [{ pidfile: 'x', chdir: '/srv', controlSocket: '/srv/x' }, /^pidfile: .* which controlSocket names too /],
    [{ bind: 'https://h:1', certfile: ['a'] }, /^keyfile: expected one .* got 0 for 1 \(--certfile\)$/],
    [
      { bind: 'https://h:1', devTls: true, certfile: ['a'], keyfile: ['b'] },
      /^devTls: it makes a certificate of its own.* \(--devTls\)$/,
    ],
    [{ bind: ['h:1', 'https://h:1'], devTls: true }, /^bind: expected each address once, got h:1 twice \(--bind\)$/],
    [{ bind: ['h:1', 'h:1'] }, /^bind: expected each address once, got h:1 twice \(--bind\)$/],
  ])('%j', (values, message) => {
    expect(check(values, false)).toMatchObject({ problems: [expect.stringMatching(message)], warnings: [] });
  });

  it.each([
    { user: 'web', group: 'web' },
    { interface: 'tcp', workerClass: 'sync' },
    { bind: ['h:1', 'h:2', 'i:1'] },
    { adminBind: '127.9.9.9:1' },
    { adminBind: '[::1]:1' },
    { adminBind: 'localhost:1' },
    { adminBind: 'unix:/run/x' },
    { adminBind: '0.0.0.0:1', adminPublic: true },
    { bind: ['127.0.0.1:0', '127.0.0.1:0'] },
    { workers: 4, maxWorkers: 4 },
    { bind: '127.0.0.1:0', adminBind: '127.0.0.1:0' },
    { bind: '127.0.0.2:1', adminBind: '127.0.0.1:1' },
    { errorLogfile: '/var/log/x', accessLogfile: '/var/log/x' },
    { errorLogfile: '-', accessLogfile: '-' },
    { pidfile: '/run/a', controlSocket: 'none', adminBind: 'unix:/run/b', bind: 'unix:/run/c' },
  ])('but not %j', (values) => expect(check(values)).toEqual({ problems: [], warnings: [] }));
});

describe('settings that do nothing beside the others are warned of', () => {
  it.each([
    [
      { healthPath: '/up', interface: 'tcp', workerClass: 'sync' },
      'healthPath: it does nothing for tcp, which has no requests (--healthPath)',
    ],
    [{ threads: 8 }, 'threads: it does nothing in the async class; it is for --worker-class threaded (--threads)'],
    [{ maxRequestsJitter: 50 }, 'maxRequestsJitter: it does nothing without --max-requests (--maxRequestsJitter)'],
    [
      { requestTimeout: 60 },
      'requestTimeout: it is longer than gracefulTimeout (30 s), so a reload or a stop cuts requests before their deadline (--requestTimeout)',
    ],
    [
      { maxWorkerMemory: 40 },
      'maxWorkerMemory: a worker without an app holds nearly 64 MiB, so workers will be replaced all the time (--maxWorkerMemory)',
    ],
  ])('%j', (values, warning) => expect(check(values)).toEqual({ problems: [], warnings: [warning] }));

  it.each([
    {},
    { threads: 4 },
    { threads: 8, workerClass: 'threaded' },
    { maxRequestsJitter: 0 },
    { maxRequestsJitter: 50, maxRequests: 100 },
    { requestTimeout: 60, gracefulTimeout: 60 },
  ])('but not %j', (values) => expect(check(values)).toEqual({ problems: [], warnings: [] }));
});
