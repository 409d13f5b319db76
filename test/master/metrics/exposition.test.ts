import { describe, expect, it } from 'vitest';
import { parseQueues } from '../../../src/ipc/accept-queue.ts';
import {
  expose,
  type Family,
  histogram,
  openMetricsType,
  prometheusType,
  typeFor,
} from '../../../src/master/metrics/exposition.ts';

const gauge: Family = {
  name: 'tsgun_connections',
  type: 'gauge',
  help: 'Open.',
  samples: [{ labels: { bind: 'unix:/a"b\\c\n' }, value: 2 }],
};
const counter: Family = { name: 'tsgun_connections', type: 'counter', help: 'Accepted.', samples: [{ value: 9 }] };

describe('metrics as text', () => {
  it('escape what labels hold', () => {
    expect(expose([gauge], prometheusType)).toContain('tsgun_connections{bind="unix:/a\\"b\\\\c\\n"} 2\n');
  });

  it('of a counter and a gauge with one name are no clash in OpenMetrics', () => {
    expect(expose([gauge, counter], openMetricsType)).toMatch(
      /# TYPE tsgun_connections gauge\n.*\n# HELP tsgun_connections_total .*\n# TYPE tsgun_connections_total unknown\ntsgun_connections_total 9\n# EOF\n$/,
    );
    expect(expose([gauge, counter], prometheusType)).toContain('# TYPE tsgun_connections_total counter\n');
  });

  it('of a histogram are cumulative, and end with all', () => {
    const text = expose(
      [{ ...gauge, type: 'histogram', samples: histogram([0.5, 1], [3, 0, 2], 7.5) }],
      prometheusType,
    );
    expect(text.match(/^tsgun.*$/gm)).toEqual([
      'tsgun_connections_bucket{le="0.5"} 3',
      'tsgun_connections_bucket{le="1.0"} 3',
      'tsgun_connections_bucket{le="+Inf"} 5',
      'tsgun_connections_sum 7.5',
      'tsgun_connections_count 5',
    ]);
  });

  it.each([
    ['', prometheusType],
    ['*/*', prometheusType],
    ['text/plain', prometheusType],
    ['application/openmetrics-text', openMetricsType],
    ['application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', openMetricsType],
    ['application/openmetrics-text;q=0.1,text/plain;q=0.5', prometheusType],
    ['application/openmetrics-text;q=0', prometheusType],
  ])('are of the type that Accept asks for: %s', (accept, type) => {
    expect(typeFor(accept)).toBe(type);
  });
});

describe('the accept queue', () => {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const row = (state: string, waiting: string, inode: number) =>
    `   0: 0100007F:8497 00000000:0000 ${state} 00000000:${waiting} 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0\n`;

  it('is read by the inode of its socket, in hexadecimal', () => {
    const { queues } = parseQueues(head + row('0A', '00000000', 7) + row('0A', '000001FF', 8));
    expect([...queues]).toEqual([
      [7, 0],
      [8, 511],
    ]);
  });

  it('is complete at the first socket that does not listen', () => {
    const { queues, isComplete } = parseQueues(head + row('0A', '00000001', 7) + row('01', '00000005', 9));
    expect({ isComplete, size: queues.size }).toEqual({ isComplete: true, size: 1 });
    expect(parseQueues(head + row('0A', '00000001', 7)).isComplete).toBe(false);
  });
});
