/** Metrics as text: Prometheus' format, and OpenMetrics, which differ in little. Pure. */

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  /** Behind the name of the family: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}

export interface Family {
  /** Without `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Prometheus' format, unless the client likes OpenMetrics at least as much, and says so. */
export function typeFor(accept: string): typeof prometheusType | typeof openMetricsType {
  const open = qualityOf(accept, 'application/openmetrics-text');
  return open > 0 && open >= qualityOf(accept, 'text/plain') ? openMetricsType : prometheusType;
}

function qualityOf(accept: string, type: string): number {
  const range = accept
    .toLowerCase()
    .split(',')
    .find((each) => each.split(';', 1)[0]!.trim() === type);
  if (range === undefined) return 0;
  const quality = Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1);
  return Number.isFinite(quality) ? quality : 0;
}

export function expose(families: readonly Family[], type: string): string {
  const isOpen = type === openMetricsType;
  const gauges = families.filter((family) => family.type !== 'counter').map(({ name }) => name);
  const lines = families.flatMap(({ name, type, help, samples }) => {
    const total = type === 'counter' ? `${name}_total` : name;
    // OpenMetrics does not count `_total` as part of the name, and allows no second metric of that name.
    const isTaken = type === 'counter' && gauges.includes(name);
    const described = isOpen && !isTaken ? name : total;
    return [
      `# HELP ${described} ${help}`,
      `# TYPE ${described} ${isOpen && isTaken ? 'unknown' : type}`,
      ...samples.map(({ suffix = '', labels, value }) => `${total}${suffix}${labelText(labels)} ${numberText(value)}`),
    ];
  });
  return `${[...lines, ...(isOpen ? ['# EOF'] : [])].join('\n')}\n`;
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

/** The labels `le` and `quantile` are numbers too, which OpenMetrics wants with a point. */
export function pointed(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isNaN(value) ? 'NaN' : String(value);
}

/** @param buckets how many in each, the last one above all bounds */
export function histogram(bounds: readonly number[], buckets: readonly number[], sum: number): Sample[] {
  let count = 0;
  const samples = [...bounds, Number.POSITIVE_INFINITY].map((bound, index): Sample => {
    count += buckets[index]!;
    return { suffix: '_bucket', labels: { le: pointed(bound) }, value: count };
  });
  return [...samples, { suffix: '_sum', value: sum }, { suffix: '_count', value: count }];
}
