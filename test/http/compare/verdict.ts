/** Sends a case to a server, and judges whether what came back conforms. */

import { type Answer, fieldOf } from '../answers.ts';
import type { Case, Outcome } from '../conformance.ts';
import { type Echo, faults, outcomeFaults } from '../judge.ts';
import { type Observation, observe, type Target } from '../observe.ts';
import { mustCloseAfterError, refusals } from './refusals.ts';

/** For a case that fails with a reset, which may have overtaken the answer. */
export const maxTries = 5;

export interface Verdict {
  readonly passed: boolean;
  /** In the notation of the cases: `200 400 close`. */
  readonly came: string;
  /** In words; empty if it passed. */
  readonly faults: readonly string[];
}

/** Compares all that tsgun promises: statuses, fields, what the app saw, and how the connection ended. */
export async function judgeOurs(target: Target, each: Case, patienceMs: number): Promise<Verdict> {
  const observation = await observe(target, each, { patience: AbortSignal.timeout(patienceMs) });
  const found = faults(each, observation);
  return { passed: found.length === 0, came: summary(observation), faults: found };
}

/** Compares with each outcome that the RFC allows. Each takes an observation of its own, until one fits. */
export async function judgeOther(target: Target, each: Case, patienceMs: number): Promise<Verdict> {
  let first: Verdict | undefined;
  for (const outcome of [each.expected, ...each.alternatives]) {
    const verdict = await judgeOutcome(target, each, outcome, patienceMs);
    if (verdict.passed) return verdict;
    first ??= verdict;
  }
  return first!;
}

/** A reset may or may not overtake the answer, so the answer needs to arrive in only one of several tries. */
async function judgeOutcome(target: Target, each: Case, outcome: Outcome, patienceMs: number): Promise<Verdict> {
  for (let tries = 1; ; tries++) {
    const tried: Case = { ...each, expected: outcome };
    const observation = await observe(target, tried, { patience: AbortSignal.timeout(patienceMs) });
    const found = otherFaults(each, outcome, observation);
    if (found.length > 0 && observation.end === 'reset' && tries < maxTries) continue;
    const isAnswered = observation.end === 'reset' && observation.final.length > 0;
    const came = summary(isAnswered ? { ...observation, end: 'ended' } : observation);
    return { passed: found.length === 0, came, faults: found };
  }
}

function otherFaults(each: Case, outcome: Outcome, observation: Observation): string[] {
  const seen = mayStayOpen(each, outcome, observation) ? { ...observation, end: 'ended' as const } : observation;
  const wanted = shortened(withRefusalOf(outcome, seen), seen);
  return [...outcomeFaults(each, wanted, seen), ...echoFaults(each, seen)];
}

/** Whether the end of the connection is not compared. */
function mayStayOpen(each: Case, outcome: Outcome, { end }: Observation): boolean {
  // A reset after all answers costs the client nothing.
  if (end === 'reset') return true;
  if (end !== 'open' || !outcome.closes) return false;
  if (outcome.mayWait === true) return true;
  return (outcome.statuses.at(-1) ?? 0) >= 400 && !mustCloseAfterError(each);
}

/** The outcome with the refusal that came in place of the expected one. */
function withRefusalOf(outcome: Outcome, { final }: Observation): Outcome {
  const wanted = outcome.statuses.at(-1) ?? 0;
  const came = final.at(-1)?.status ?? 0;
  if (!refusals.includes(wanted) || !refusals.includes(came)) return outcome;
  return { ...outcome, statuses: [...outcome.statuses.slice(0, -1), came] };
}

/** A server may close after an answer with `Connection: close` (RFC 9112 §9.6), and need not answer later requests. */
function shortened(outcome: Outcome, { final, probe, end }: Observation): Outcome {
  const last = final.at(-1);
  if (last === undefined || probe !== undefined || end !== 'ended') return outcome;
  if (fieldOf(last, 'connection')?.toLowerCase() !== 'close') return outcome;
  const interim = outcome.statuses.filter((status) => status < 200);
  const wanted = outcome.statuses.filter((status) => status >= 200);
  return { statuses: [...interim, ...wanted.slice(0, final.length)], closes: true };
}

/** Compares method, target and body with those that the app reports in its answers. */
function echoFaults({ sees = [] }: Case, { final }: Observation): string[] {
  const found: string[] = [];
  const served = final.filter(({ status }) => status === 200);
  for (const [index, { method, target, body }] of sees.entries()) {
    const echo = served[index] === undefined ? undefined : echoOf(served[index]);
    if (echo === undefined) continue;
    if (echo.method !== method) found.push(`saw the method ${quote(echo.method)}`);
    if (echo.target !== target) found.push(`saw the target ${quote(echo.target)}`);
    if (body !== undefined && echo.body !== body) found.push(`saw the body ${quote(echo.body)}`);
  }
  return found;
}

function echoOf({ body }: Answer): Echo | undefined {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function summary({ interim, final, probe, end, rest }: Observation): string {
  const statuses = [...interim, ...final].map(({ status }) => status);
  const words = inRuns(statuses);
  if (rest.length > 0) words.push('broken bytes');
  if (statuses.length === 0 && rest.length === 0) words.push('no answer');
  if (probe !== undefined) return probe.status === 200 ? words.join(' ') : [...words, `then ${probe.status}`].join(' ');
  words.push({ ended: 'close', reset: 'reset', open: 'open' }[end]);
  return words.join(' ');
}

/** Shortens more than three equal statuses: `200*100`. */
export function inRuns(statuses: readonly number[]): string[] {
  const runs: { status: number; count: number }[] = [];
  for (const status of statuses) {
    const last = runs.at(-1);
    if (last?.status === status) last.count++;
    else runs.push({ status, count: 1 });
  }
  return runs.flatMap(({ status, count }) => (count > 3 ? [`${status}*${count}`] : Array(count).fill(String(status))));
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
