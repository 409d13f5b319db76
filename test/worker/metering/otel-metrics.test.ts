import { metrics } from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { RequestHead } from '../../../src/http/head.ts';
import { Observers } from '../../../src/http/observers.ts';
import { durationBounds } from '../../../src/ipc/counters.ts';
import { recordForOtel } from '../../../src/worker/metering/otel-metrics.ts';

const directory = new URL('../../..', import.meta.url).pathname;

afterEach(() => metrics.disable());

/** An SDK that keeps what it is told. */
function register() {
  const recorded: { name: string; options: unknown; value: number; attributes: unknown }[] = [];
  const createHistogram = (name: string, options: unknown) => ({
    record: (value: number, attributes: unknown) => void recorded.push({ name, options, value, attributes }),
  });
  const running = new Map<string, number>();
  const createUpDownCounter = (name: string) => ({
    add(value: number, attributes: unknown) {
      const key = `${name} ${JSON.stringify(attributes)}`;
      running.set(key, (running.get(key) ?? 0) + value);
    },
  });
  metrics.setGlobalMeterProvider({ getMeter: () => ({ createHistogram, createUpDownCounter }) } as never);
  return Object.assign(recorded, { running });
}

const headOf = (method: string) => Object.assign(new RequestHead(), { method, minorVersion: 1 });

function tell(
  observers: Observers,
  method: string,
  status: string,
  outcome = 'answered',
  head = headOf(method),
  scheme = 'http',
) {
  const startedAt = performance.now() - 250;
  observers.tell({ head, status, startedAt, ends: { scheme } } as never, outcome as never);
}

it('requests are recorded by the semantic conventions where an SDK is registered', async () => {
  const recorded = register();
  const observers = new Observers();
  expect(await recordForOtel({ observers, directory, version: '1.2.3' })).toBe(true);
  tell(observers, 'GET', '200 OK');
  tell(observers, 'GET', '503 Service Unavailable');
  tell(observers, 'BREW', '405 Method Not Allowed');
  tell(observers, 'GET', '', 'aborted');
  tell(observers, 'GET', '101 Switching Protocols', 'upgraded');
  expect(recorded[0]).toMatchObject({
    name: 'http.server.request.duration',
    options: { unit: 's', advice: { explicitBucketBoundaries: durationBounds } },
  });
  expect(recorded[0]!.value).toBeGreaterThanOrEqual(0.25);
  expect(recorded[0]!.value).toBeLessThan(25);
  const fixed = { 'url.scheme': 'http', 'network.protocol.name': 'http', 'network.protocol.version': '1.1' };
  expect(recorded.map(({ attributes }) => attributes)).toEqual([
    { ...fixed, 'http.request.method': 'GET', 'http.response.status_code': 200 },
    { ...fixed, 'http.request.method': 'GET', 'http.response.status_code': 503, 'error.type': '503' },
    { ...fixed, 'http.request.method': '_OTHER', 'http.response.status_code': 405 },
    { ...fixed, 'http.request.method': 'GET', 'error.type': 'aborted' },
  ]);
});

it('requests that run are counted from their beginning to their end, however that comes', async () => {
  const { running } = register();
  const observers = new Observers();
  await recordForOtel({ observers, directory, version: '1.2.3' });
  const begin = (method: string) => {
    const head = headOf(method);
    observers.onBegin!({ head, ends: { scheme: 'http' } } as never);
    return head;
  };
  // It began before the SDK was there.
  tell(observers, 'GET', '200 OK');
  const [first, second, third, other] = ['GET', 'GET', 'GET', 'BREW', 'POST'].map(begin);
  tell(observers, 'GET', '200 OK', 'answered', first);
  tell(observers, 'GET', '', 'aborted', second);
  tell(observers, 'GET', '200 OK', 'unheard', second);
  // A proxy has said since that it is https.
  tell(observers, 'GET', '101', 'upgraded', third, 'https');
  tell(observers, 'BREW', '405 Method Not Allowed', 'answered', other);
  const name = 'http.server.active_requests';
  const key = (method: string) => `${name} {"http.request.method":"${method}","url.scheme":"http"}`;
  expect(Object.fromEntries(running)).toEqual({ [key('GET')]: 0, [key('_OTHER')]: 0, [key('POST')]: 1 });
});

it('an SDK that fails does not fail a request', async () => {
  const record = () => {
    throw new Error('the SDK failed');
  };
  const meter = { createHistogram: () => ({ record }), createUpDownCounter: () => ({ add: record }) };
  metrics.setGlobalMeterProvider({ getMeter: () => meter } as never);
  const observers = new Observers();
  await recordForOtel({ observers, directory, version: '1' });
  expect(() => tell(observers, 'GET', '200 OK')).not.toThrow();
});

it('nothing is watched where none is registered, or the package cannot be found from the app', async () => {
  const observers = new Observers();
  expect(await recordForOtel({ observers, directory, version: '1' })).toBe(false);
  register();
  expect(await recordForOtel({ observers, directory: '/', version: '1' })).toBe(false);
  expect(observers.isWatched).toBe(false);
});
