/** How far it is, and how much time is left, on standard error: one line on a terminal, a line for each turn elsewhere. */

/**
 * What the turns before took, set against what they were expected to take, tells the rest.
 * @param {readonly number[]} expected seconds of every turn
 * @param {readonly number[]} taken seconds of the first of them
 */
export function secondsLeft(expected, taken) {
  const sum = (list) => list.reduce((total, each) => total + each, 0);
  const pastExpected = sum(expected.slice(0, taken.length));
  const factor = pastExpected === 0 ? 1 : sum(taken) / pastExpected;
  return sum(expected.slice(taken.length)) * factor;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * @param {number} done
 * @param {number} all
 * @param {number} seconds left
 * @param {string} what runs
 */
export function progressLine(done, all, seconds, what) {
  const width = 24;
  const filled = all === 0 ? width : Math.floor((done / all) * width);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
  return `${bar} ${done}/${all}, ${duration(seconds)} left: ${what}`;
}

export function showProgress(line) {
  if (!process.stderr.isTTY) process.stderr.write(`${line}\n`);
  else process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

/** So that what is said next has a line of its own. */
export function endProgress() {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
