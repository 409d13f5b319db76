/** The conformance cases on real ports: against the HTTP engine, and against the command with each worker class. */

import { fileURLToPath } from 'node:url';
import { registry } from '../../src/worker/classes/registry.ts';
import { conformanceLimits } from './conformance.ts';
import { describeConformance } from './conformance-suite.ts';
import { app } from './echo-app.ts';
import { openCommand } from './in-command.ts';
import { openInProcess } from './in-process.ts';

describeConformance('the HTTP engine', () => openInProcess(app, { limits: conformanceLimits }));

const file = fileURLToPath(new URL('echo-app.ts', import.meta.url));
const limits = ['--limit-request-body', String(conformanceLimits.bodyBytes)];
for (const name of Object.keys(registry)) {
  const args = [`${file}:app`, '--worker-class', name, '--workers', '2', ...limits];
  const kind = { isApart: true, isOnePerConnection: name === 'sync' };
  if (name === 'async') describeConformance('--worker-class async', () => openCommand(args), kind);
  else {
    describeConformance(`--worker-class ${name}`, () => openCommand(args), { ...kind, readsAhead: true });
    const streaming = { ...kind, answersLater: name === 'threaded' };
    const open = () => openCommand([...args, '--buffer-body', '0']);
    describeConformance(`--worker-class ${name} --buffer-body 0`, open, streaming);
  }
}
