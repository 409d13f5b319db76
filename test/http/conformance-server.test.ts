/** The conformance cases against the HTTP engine on a real port. */

import { conformanceLimits } from './conformance.ts';
import { describeConformance } from './conformance-suite.ts';
import { app } from './echo-app.ts';
import { openInProcess } from './in-process.ts';

describeConformance('the HTTP engine', () => openInProcess(app, { limits: conformanceLimits }));
