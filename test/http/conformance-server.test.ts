/** The conformance cases against the HTTP engine on a real port, alone and in every worker class. */

import { fileURLToPath } from 'node:url';
import { registry } from '../../src/worker/registry.ts';
import { start } from '../integration/harness.ts';
import { conformanceLimits } from './conformance.ts';
import { describeConformance } from './conformance-suite.ts';
import { app } from './echo-app.ts';
import { openInProcess } from './in-process.ts';
import type { Target } from './observe.ts';

describeConformance('the HTTP engine', () => openInProcess(app, { limits: conformanceLimits }));

for (const workerClass of Object.keys(registry))
  describeConformance(`a worker of class ${workerClass}`, () => openWorker(workerClass), {
    answersLater: workerClass === 'threaded',
  });

const echo = fileURLToPath(new URL('./echo-app.ts', import.meta.url));

async function openWorker(workerClass: string): Promise<Target> {
  const { requestLineBytes, fieldCount, fieldBytes, bodyBytes } = conformanceLimits;
  const limits = {
    '--limit-request-line': requestLineBytes,
    '--limit-request-fields': fieldCount,
    '--limit-request-field-size': fieldBytes,
    '--limit-request-body': bodyBytes,
  };
  const args = Object.entries(limits).flatMap(([name, value]) => [name, String(value)]);
  const tsgun = start(echo, ['--worker-class', workerClass, ...args], { isShared: true });
  const { hostname, port } = new URL(await tsgun.url());
  return { host: hostname, port: Number(port), close: async () => void (await tsgun.stop()) };
}
