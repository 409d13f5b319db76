/** How a broken rule is told. */

import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';

/** A rule that is broken; nothing that an app throws by itself. */
export class Violation extends AssertionError {}

/** @throws Violation, an AssertionError */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Violation({ message: `PEP 3333: ${message}`, stackStartFn: assert });
}

/** A value, in short. */
export function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60 });
}
