/** Runs ahead of each test file. */

import { aroundEach } from 'vitest';
import { runAsCurrent } from './current.ts';

aroundEach((run, context) => runAsCurrent(context, run));
