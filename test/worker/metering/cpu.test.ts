/** What a request costs in CPU time: only what it took alone is said to be its own. */

import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/http/exchange.ts';
import { CpuClock, CpuMeter } from '../../../src/worker/metering/cpu.ts';

/** A meter with a clock that the test turns, in milliseconds. */
function meter() {
  const cpu = { ms: 100 };
  const measured = new CpuMeter(new CpuClock(0, () => cpu.ms * 1000));
  const run = (takesMs = 0) => {
    const exchange = {} as Exchange;
    void measured.around(() => {
      cpu.ms += takesMs;
    })(exchange);
    return exchange;
  };
  const end = (exchange: Exchange) => exchange.cost?.end?.(performance.now());
  return { cpu, run, end };
}

test('a request that runs alone took what the thread took, until it is over', () => {
  const { cpu, run, end } = meter();
  const exchange = run(7);
  expect(exchange.cost?.cpuMs).toBe(7);
  cpu.ms += 3;
  end(exchange);
  cpu.ms += 1000;
  expect(exchange.cost?.cpuMs).toBe(10);
});

test('requests that ran beside each other have no figure, and those after them have', () => {
  const { cpu, run, end } = meter();
  const [first, second] = [run(), run()];
  cpu.ms += 5;
  end(first);
  const third = run();
  end(second);
  end(third);
  expect([first, second, third].map(({ cost }) => cost?.cpuMs)).toEqual([undefined, undefined, undefined]);
  const later = run(2);
  end(later);
  expect(later.cost?.cpuMs).toBe(2);
});

test('a request that ends twice, as one does whose client leaves while its app runs on, counts once', () => {
  const { run, end } = meter();
  const [first, second] = [run(), run()];
  end(first);
  end(first);
  const third = run();
  expect(third.cost?.cpuMs).toBeUndefined();
  end(second);
  end(third);
  expect(run(2).cost?.cpuMs).toBe(2);
});

test('a clock that is looked at often is asked once a millisecond, and runs on in between', () => {
  let asked = 0;
  const clock = new CpuClock(1, () => ++asked * 1000);
  expect([clock.read(10), clock.read(10.25), clock.read(10.5)]).toEqual([1000, 1250, 1500]);
  expect(asked).toBe(1);
  expect(clock.read(11)).toBe(2000);
});
