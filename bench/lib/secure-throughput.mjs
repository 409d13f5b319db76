/** A scenario of a good day over TLS, by h2load. */

import { performance } from 'node:perf_hooks';
import { hello } from './expected.mjs';
import { runH2load } from './h2load.mjs';
import { quietestOf } from './noise.mjs';
import { busyMs, loadCores, startPeer } from './peer-server.mjs';
import { cpuMsOf, endedChildrenCpuMs } from './processes.mjs';
import { milliseconds, rate } from './report.mjs';

const warmUpRequests = 2000;

/**
 * @param {{ id: string, title: string, about: string, kind: 'h1' | 'h2' }} description
 * @returns {import('../scenarios/index.mjs').Scenario}
 */
export function secureThroughput({ kind, ...description }) {
  return {
    ...description,
    day: 'good',
    columns: [
      { of: 'rate', head: 'requests/s', show: rate, spread: true, ratioTo: 'node-http' },
      { of: 'meanMs', head: 'mean', show: milliseconds },
      { of: 'cpuUs', head: 'CPU µs/request', show: (value) => value.toFixed(1) },
    ],
    chart: { of: 'rate', unit: 'requests per second', better: 'more' },
    seconds: (pace) => pace.warmUpSeconds + pace.seconds + 3,
    async run(peer, pace) {
      const server = await startPeer(peer, pace.workers, { isSecure: true, isHttp2: kind === 'h2' });
      try {
        // By number, not by time: all answers are complete then, and their bytes can be held against their number exactly.
        const { rate: perSecond } = await measure(server, kind, warmUpRequests);
        const requests = Math.max(warmUpRequests, Math.round(perSecond * pace.seconds));
        return await quietestOf(() => measure(server, kind, requests), pace.isQuick);
      } finally {
        await server.stop();
      }
    },
  };
}

async function measure(server, kind, count) {
  const startedAt = performance.now();
  const before = { server: cpuMsOf(server.processes()), load: endedChildrenCpuMs(), cores: busyMs() };
  const options = { length: ['-n', String(count)], cores: loadCores, bodyBytes: hello.length };
  const { requests, ...run } = await runH2load(server.url, kind, options);
  const tookMs = performance.now() - startedAt;
  const cpu = cpuMsOf(server.processes()) - before.server;
  const loadCpu = endedChildrenCpuMs() - before.load;
  const [serverBusy, loadBusy] = busyMs().map((ms, index) => ms - before.cores[index]);
  const foreign = Math.max(0, serverBusy - cpu, loadBusy - loadCpu) / tookMs;
  return { ...run, cpuUs: (cpu * 1000) / requests, foreign, loadBusy: loadCpu / tookMs };
}
