/**
 * Compares what a server did with what a conformance case expects, and says in words what is wrong. Pure. `outcomeFaults`
 * is fair to any server; the others hold to what tsgun promises beyond it.
 */

import { type Answer, fieldOf } from './answers.ts';
import type { Case, Outcome, Sighting } from './conformance.ts';
import type { Observation } from './observe.ts';

/** All that is wrong, empty if nothing is. */
export function faults(each: Case, observation: Observation): string[] {
  return [
    ...outcomeFaults(each, each.expected, observation),
    ...answerFaults(each, observation),
    ...sightingFaults(each, observation),
  ];
}

/** Statuses in order, and whether the connection lives. */
export function outcomeFaults(each: Case, outcome: Outcome, observation: Observation): string[] {
  const found: string[] = [];
  const { interim, final, probe, end, rest } = observation;
  const waits = each.parts.length > 1;
  const wanted = outcome.statuses.filter((status) => status >= 200);
  const statuses = final.map(({ status }) => status);
  if (statuses.join() !== wanted.join()) found.push(`answered ${list(statuses)}, expected ${list(wanted)}`);
  if (waits && interim.length !== outcome.statuses.length - wanted.length)
    found.push(`${interim.length} interim answers`);
  if (rest.length > 0) found.push(`bytes that are no answer: ${JSON.stringify(rest.toString('latin1', 0, 200))}`);
  if (end === 'reset') found.push('the connection was reset');
  if (outcome.closes && end !== 'ended') found.push('the connection was not closed');
  if (!outcome.closes && probe === undefined) found.push('the connection was closed, or answered no further request');
  if (probe !== undefined && probe.status !== 200) found.push(`one more request was answered ${probe.status}`);
  return found;
}

/** Each answer on its own: what clients count on, and what an error must not show. */
function answerFaults(each: Case, { final, probe }: Observation): string[] {
  const found: string[] = [];
  for (const [index, answer] of final.entries()) {
    const { status, version } = answer;
    const connection = fieldOf(answer, 'connection');
    const isLast = index === final.length - 1;
    const say = (text: string) => found.push(`answer ${index + 1} (${status}): ${text}`);
    if (version !== 'HTTP/1.1') say(`its version is ${version}`);
    if (!/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(fieldOf(answer, 'date') ?? '')) say('it has no good Date');
    if (status >= 400) found.push(...errorFaults(answer).map((text) => `answer ${index + 1} (${status}): ${text}`));
    if (!isLast && connection === 'close') say('it says close, and another follows');
    // A client that has closed its half, or sends more than we read, may learn of the end by the end alone.
    const mayEndSilently = each.halfCloses || each.sees?.some(({ target }) => target === '/unread') === true;
    if (isLast && each.expected.closes && !mayEndSilently && connection !== 'close') say('it does not say close');
    const isOld = status === 200 && echoOf(answer)?.environ.SERVER_PROTOCOL === 'HTTP/1.0';
    if (isOld && (!isLast || probe !== undefined) && connection !== 'keep-alive') say('it does not say keep-alive');
  }
  return found;
}

function errorFaults(answer: Answer): string[] {
  const found: string[] = [];
  const text = answer.body.toString();
  if (fieldOf(answer, 'connection') !== 'close') found.push('an error does not say close');
  if (fieldOf(answer, 'content-type') !== 'text/plain; charset=utf-8') found.push('an error is not plain text');
  if (/\bat .*:\d+|node:|\.[jt]s\b|Error:/.test(text)) found.push(`an error shows internals: ${text}`);
  return found;
}

/** What the app says it saw. */
export function sightingFaults({ sees }: Case, { final, probe }: Observation): string[] {
  if (sees === undefined) return [];
  const found: string[] = [];
  const served = final.filter(({ status }) => status === 200);
  if (served.length !== sees.length) found.push(`the app saw ${served.length} requests, expected ${sees.length}`);
  for (const [index, sighting] of sees.entries()) {
    const echo = served[index] === undefined ? undefined : echoOf(served[index]);
    if (echo !== undefined) found.push(...differences(sighting, echo).map((text) => `request ${index + 1}: ${text}`));
  }
  if (probe !== undefined && echoOf(probe)?.target !== '/probe') found.push('one more request was answered as another');
  return found;
}

function differences(sighting: Sighting, echo: Echo): string[] {
  const found: string[] = [];
  const compare = (what: string, seen: string | undefined, wanted: string | undefined) => {
    if (seen !== wanted) found.push(`${what} is ${JSON.stringify(seen)}, expected ${JSON.stringify(wanted)}`);
  };
  compare('its method', echo.method, sighting.method);
  compare('its target', echo.target, sighting.target);
  if (sighting.body !== undefined) compare('its body', echo.body, sighting.body);
  for (const [key, value] of Object.entries(sighting.environ)) compare(key, echo.environ[key], value);
  return found;
}

/** What the app under test answers with; texts are latin1. */
export interface Echo {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly environ: Readonly<Record<string, string>>;
}

/** Undefined for an answer without a body, as to HEAD. */
function echoOf({ body }: Answer): Echo | undefined {
  return body.length === 0 ? undefined : JSON.parse(body.toString());
}

function list(statuses: readonly number[]): string {
  return statuses.length === 0 ? 'nothing' : statuses.join(' ');
}
