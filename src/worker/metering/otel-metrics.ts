/**
 * Records requests with the OpenTelemetry SDK that the app, or a tracer in `NODE_OPTIONS`, has registered. Without one, the
 * package is not loaded.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Attributes, Histogram, MeterProvider, UpDownCounter } from '@opentelemetry/api';
import type { RequestHead } from '../../http/head.ts';
import type { Observed, Observers, Outcome, RequestCounter } from '../../http/observers.ts';
import { durationBounds } from '../../ipc/counters.ts';

/** Names of the semantic conventions for HTTP; the attributes' names too. */
const metricNames = { duration: 'http.server.request.duration', active: 'http.server.active_requests' } as const;
/** Every other method is `_OTHER`: clients must not be able to create time series. */
const methods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE', 'QUERY']);
/** Under this key every copy of the package keeps what is registered. */
const registryKey = Symbol.for('opentelemetry.js.api.1');

export interface OtelOptions {
  readonly observers: Observers;
  /** The app's directory: its copy of the package is taken. */
  readonly directory: string;
  readonly version: string;
}

/** @returns whether requests are recorded from now on */
export async function recordForOtel({ observers, directory, version }: OtelOptions): Promise<boolean> {
  if (!isRegistered()) return false;
  const provider = await loadProvider(directory);
  if (provider === undefined) return false;
  const meter = provider.getMeter('tsgun', version);
  const duration = meter.createHistogram(metricNames.duration, {
    description: 'Duration of HTTP server requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: [...durationBounds] },
  });
  const active = meter.createUpDownCounter(metricNames.active, {
    description: 'Number of active HTTP server requests.',
    unit: '{request}',
  });
  observers.addCounter(new OtelCounter(duration, active));
  return true;
}

function isRegistered(): boolean {
  const registry = (globalThis as Record<symbol, { readonly metrics?: unknown } | undefined>)[registryKey];
  return registry?.metrics !== undefined;
}

async function loadProvider(directory: string): Promise<MeterProvider | undefined> {
  try {
    const path = createRequire(join(directory, 'app.js')).resolve('@opentelemetry/api');
    const api = (await import(pathToFileURL(path).href)) as Partial<typeof import('@opentelemetry/api')> & {
      readonly default?: typeof import('@opentelemetry/api');
    };
    return (api.metrics ?? api.default?.metrics)?.getMeterProvider();
  } catch {
    // The package is among the tracer's own dependencies, and cannot be found from here.
    return undefined;
  }
}

class OtelCounter implements RequestCounter {
  private readonly duration: Histogram;
  private readonly active: UpDownCounter;
  /** Attributes per combination, made once. */
  private readonly known = new Map<string, Attributes>();
  /** Attributes of running requests, per method and scheme. */
  private readonly groups = new Map<string, Attributes>();
  /** What each running request was counted under: a proxy's header may change its scheme after it has begun. */
  private readonly running = new WeakMap<RequestHead, Attributes>();

  constructor(duration: Histogram, active: UpDownCounter) {
    this.duration = duration;
    this.active = active;
  }

  begin(exchange: Observed): void {
    const attributes = this.groupOf(exchange);
    this.running.set(exchange.head, attributes);
    attempt(() => this.active.add(1, attributes));
  }

  disregard(exchange: Observed): void {
    this.end(exchange);
  }

  count(exchange: Observed, outcome: Outcome, endedAt: number): void {
    // It was counted when its client left.
    if (outcome === 'unheard') return;
    this.end(exchange);
    // The length of an upgraded connection says nothing about requests.
    if (outcome === 'upgraded') return;
    const { head, status, startedAt, ends } = exchange;
    const method = methods.has(head.method) ? head.method : '';
    const key = `${method} ${status === '' ? outcome : status.slice(0, 3)} ${ends.scheme} ${head.version}`;
    let attributes = this.known.get(key);
    if (attributes === undefined) {
      attributes = attributesOf(exchange, outcome);
      this.known.set(key, attributes);
    }
    attempt(() => this.duration.record((endedAt - startedAt) / 1000, attributes));
  }

  private end({ head }: Observed): void {
    const attributes = this.running.get(head);
    // The request began before the SDK was registered.
    if (attributes === undefined) return;
    this.running.delete(head);
    attempt(() => this.active.add(-1, attributes));
  }

  private groupOf({ head, ends }: Observed): Attributes {
    const method = methods.has(head.method) ? head.method : '_OTHER';
    const key = `${method} ${ends.scheme}`;
    let attributes = this.groups.get(key);
    if (attributes === undefined) {
      attributes = { 'http.request.method': method, 'url.scheme': ends.scheme };
      this.groups.set(key, attributes);
    }
    return attributes;
  }
}

/** A failure of the user's SDK must not fail the request. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {}
}

function attributesOf({ head, status, ends }: Observed, outcome: Outcome): Attributes {
  const isKnown = methods.has(head.method);
  const code = Number.parseInt(status, 10);
  const errorType = status === '' ? outcome : code >= 500 ? String(code) : undefined;
  return {
    'http.request.method': isKnown ? head.method : '_OTHER',
    'url.scheme': ends.scheme,
    'network.protocol.name': 'http',
    'network.protocol.version': head.isHttp2 ? '2' : head.version,
    ...(status === '' ? {} : { 'http.response.status_code': code }),
    ...(errorType === undefined ? {} : { 'error.type': errorType }),
  };
}
