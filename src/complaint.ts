/** Why tsgun does not start, for people: a line for each problem, and where the user's own code threw, if it did. */

import type { ErrorReport } from './errors.ts';

/** In a build, this file is in a folder of dist. */
const ownFolder = new URL('../', import.meta.url).href;

/** Ends with a line feed. */
export function renderComplaint({ message, stack = '', exitCode }: ErrorReport): string {
  const problems = message.split('\n').map((problem) => `tsgun: ${problem}`);
  // Any other error is a fault in tsgun: show all of it.
  const frames = exitCode === undefined ? [stack] : stack.split('\n').filter(isOfUser);
  return `${[...problems, ...frames].join('\n')}\n`;
}

/** A line of a stack that is neither tsgun's nor Node's. */
function isOfUser(line: string): boolean {
  return /^\s+at /.test(line) && !line.includes(ownFolder) && !/^\s+at (?:.*\(|(?:async )?)node:/.test(line);
}
