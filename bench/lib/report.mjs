/** Figures to Markdown, with what they were measured on. */

import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Which machine, which Node, which day. */
export function machine() {
  const [{ model }] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, Node ${process.version}, Linux ${release()}, ${cpus().length} × ${model.trim()}, ${revision()}`;
}

export function printMachine() {
  console.log(`${machine()}\n`);
}

/** What was measured, where that can be known. */
function revision() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    return `commit ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' with changes'}`;
  } catch {
    return 'no commit';
  }
}

/**
 * The first row is the heading; all columns but the first are right-aligned.
 * @param {readonly (readonly string[])[]} rows
 */
export function table([heading, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = heading.map((_, index) => (index === 0 ? '---' : '---:'));
  return [heading, rule, ...rows].map(line).join('\n');
}

/** @param {readonly (readonly string[])[]} rows */
export function printTable(rows) {
  console.log(`${table(rows)}\n`);
}

export const rate = (value) => `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} k`;
/** wrk says 0 where it could not tell. */
export const milliseconds = (value) => (value > 0 ? `${value.toFixed(2)} ms` : '–');
export const ratio = (value) => (Number.isFinite(value) ? `${value.toFixed(2)}×` : '');

/** Tells a goal that was met from one that was not. The process fails with any that was not. */
export function judge(claim, isMet) {
  console.log(`${isMet ? 'met' : 'NOT MET'}: ${claim}`);
  if (!isMet) process.exitCode = 1;
}
