/** The conformance cases against the HTTP engine that uses of Node only what is documented. */

import { vi } from 'vitest';
import { conformanceLimits } from './conformance.ts';
import { describeConformance } from './conformance-suite.ts';
import { app } from './echo-app.ts';
import { openInProcess } from './in-process.ts';

// Before the imports, at which it is read.
vi.hoisted(() => {
  process.env.TSGUN_NO_INTERNALS = '1';
});

describeConformance('the HTTP engine without internals', () => openInProcess(app, { limits: conformanceLimits }));
