/** The errors for broken rules. */

import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';

/** A broken rule; it is never an error of the app's own. */
export class Violation extends AssertionError {}

/** @throws Violation, an AssertionError */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Violation({ message: `PEP 3333: ${message}`, stackStartFn: assert });
}

/** A value, in short. */
export function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60 });
}
