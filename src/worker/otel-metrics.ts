/**
 * Records requests with the OpenTelemetry SDK that the app, or a tracer in `NODE_OPTIONS`, has registered. Without one, the
 * package is not even loaded.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Attributes, Histogram, MeterProvider } from '@opentelemetry/api';
import type { Observed, Observers, Outcome, RequestCounter } from '../http/observers.ts';
import { durationBounds } from '../ipc/counters.ts';

/** By the semantic conventions of HTTP; so are the names of the attributes. */
const metricName = 'http.server.request.duration';
/** Another one is `_OTHER`: no client may make up values. */
const methods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE', 'QUERY']);
/** Where the package keeps what is registered, whichever copy of it. */
const registryKey = Symbol.for('opentelemetry.js.api.1');

export interface OtelOptions {
  readonly observers: Observers;
  /** Where the app is, whose copy of the package is taken. */
  readonly directory: string;
  readonly version: string;
}

/** @returns whether requests are recorded from now on */
export async function recordForOtel({ observers, directory, version }: OtelOptions): Promise<boolean> {
  if (!isRegistered()) return false;
  const provider = await loadProvider(directory);
  if (provider === undefined) return false;
  const histogram = provider.getMeter('tsgun', version).createHistogram(metricName, {
    description: 'Duration of HTTP server requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: [...durationBounds] },
  });
  observers.addCounter(new OtelCounter(histogram));
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
    // It is in the tracer's own dependencies, where it cannot be found from here.
    return undefined;
  }
}

class OtelCounter implements RequestCounter {
  private readonly histogram: Histogram;
  /** As many as there are combinations. */
  private readonly known = new Map<string, Attributes>();

  constructor(histogram: Histogram) {
    this.histogram = histogram;
  }

  count(exchange: Observed, outcome: Outcome, endedAt: number): void {
    if (outcome === 'unheard' || outcome === 'upgraded') return;
    const { head, status, startedAt, ends } = exchange;
    const method = methods.has(head.method) ? head.method : '';
    const key = `${method} ${status === '' ? outcome : status.slice(0, 3)} ${ends.scheme} ${head.minorVersion}`;
    let attributes = this.known.get(key);
    if (attributes === undefined) {
      attributes = attributesOf(exchange, outcome);
      this.known.set(key, attributes);
    }
    try {
      this.histogram.record((endedAt - startedAt) / 1000, attributes);
    } catch {
      // A failure of the user's SDK is none of the request.
    }
  }
}

function attributesOf({ head, status, ends }: Observed, outcome: Outcome): Attributes {
  const isKnown = methods.has(head.method);
  const code = Number.parseInt(status, 10);
  const errorType = status === '' ? outcome : code >= 500 ? String(code) : undefined;
  return {
    'http.request.method': isKnown ? head.method : '_OTHER',
    'url.scheme': ends.scheme,
    'network.protocol.name': 'http',
    'network.protocol.version': head.minorVersion === 0 ? '1.0' : '1.1',
    ...(status === '' ? {} : { 'http.response.status_code': code }),
    ...(errorType === undefined ? {} : { 'error.type': errorType }),
  };
}
