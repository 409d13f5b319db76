/**
 * Every finished turn, kept as a line of JSON the moment it ends: a benchmark that was stopped goes on where it was. The first line says what
 * all were measured on.
 */

import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Turn
 * @property {string} scenario
 * @property {string} peer
 * @property {number} round from 1
 *
 * @typedef {Turn & {
 *   at: string, seconds: number, calibrationMs: number, versions: Record<string, string>,
 *   figures?: Record<string, unknown>, error?: string,
 * }} Run `error` in place of figures where it does not count
 */

const keyOf = ({ scenario, peer, round }) => `${scenario} ${peer} ${round}`;

export class Campaign {
  /** @type {Map<string, Run>} the last of each turn */
  #runs = new Map();

  /**
   * @param {string} folder
   * @param {{ date: string } & Record<string, unknown>} head machine, commit and pace: what differs in one of them is another campaign
   * @param {boolean} [isFresh] forgets what was made before
   */
  constructor(folder, head, isFresh = false) {
    const { date: _, ...lasting } = head;
    const hash = createHash('sha256').update(JSON.stringify(lasting)).digest('hex').slice(0, 12);
    this.file = join(folder, `${hash}.jsonl`);
    if (isFresh) rmSync(this.file, { force: true });
    const [first, ...runs] = existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n').flatMap(parsed) : [];
    /** With the day on which it began. */
    this.head = first ?? head;
    for (const run of runs) this.#runs.set(keyOf(run), run);
    if (first !== undefined) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(this.file, `${JSON.stringify(head)}\n`);
  }

  /** @returns {Run[]} */
  get runs() {
    return [...this.#runs.values()];
  }

  /** Whether it counts; one that failed is tried again. @param {Turn} turn */
  has(turn) {
    const run = this.#runs.get(keyOf(turn));
    return run !== undefined && run.error === undefined;
  }

  /** @param {Run} run */
  add(run) {
    this.#runs.set(keyOf(run), run);
    appendFileSync(this.file, `${JSON.stringify(run)}\n`);
  }
}

/** A line that was cut when the benchmark was killed says nothing. */
function parsed(line) {
  if (line === '') return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
