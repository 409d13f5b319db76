/** Makes the text of `docs/conformance.md` from the verdicts. */

import { bySection, type Case, conformanceLimits, type Outcome } from '../conformance.ts';
import { refusals } from './refusals.ts';
import type { Contestant } from './servers.ts';
import { inRuns, maxTries, type Verdict } from './verdict.ts';

export interface Result {
  readonly contestant: Contestant;
  readonly version: string;
  /** Undefined for a case that is not counted for this server. */
  readonly verdicts: ReadonlyMap<Case, Verdict | undefined>;
}

export interface Score {
  readonly passed: number;
  readonly total: number;
}

export function score({ verdicts }: Result, cases: readonly Case[]): Score {
  const judged = cases.map((each) => verdicts.get(each)).filter((verdict) => verdict !== undefined);
  return { passed: judged.filter(({ passed }) => passed).length, total: judged.length };
}

/** In the order of the numbers: §9 before §10. */
function bySectionInOrder(cases: readonly Case[]): [section: string, cases: Case[]][] {
  return bySection(cases).sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }));
}

/** @param patienceMs how long a server had for each case */
export function writeReport(
  cases: readonly Case[],
  results: readonly Result[],
  date: string,
  patienceMs: number,
): string {
  return `${[
    '# Conformance',
    `The ${cases.length} cases of [test/http/conformance](../test/http/conformance) were sent to tsgun and to other ` +
      `servers on ${date}. This page is written by \`npm run conformance\`, which fails if tsgun fails a case.`,
    '## Method',
    method(results),
    '## Passed, by section',
    sectionTable(cases, results),
    '## What other servers fail',
    'An outcome is the statuses in order, and then what happened to the connection. `close`: the server closed it. ' +
      `\`open\`: it was still open after ${patienceMs / 1000} seconds. \`reset\`: the server reset it before an answer ` +
      'arrived. If none of these follows, the server answered one more request, with 200 if no other status is given ' +
      '(`then 400`). `no answer`: there was no status. `broken bytes`: what arrived is not a complete answer. `200*5`: ' +
      '200 five times. `saw …`: what the app got, if that is not what the client sent.',
    ...failureTables(cases, results),
  ].join('\n\n')}\n`;
}

function method(results: readonly Result[]): string {
  const { requestLineBytes, fieldCount, fieldBytes, bodyBytes } = conformanceLimits;
  const lines = [
    'Each case has its own connection over loopback. Its bytes are sent at once; a case about `Expect: 100-continue` ' +
      'waits for the answer 100 before it sends the rest. If the connection should stay open after the case, one more ' +
      'request follows, and must be answered.',
    `All servers have the same limits, if they have such a limit: request line ${requestLineBytes} bytes, field line ` +
      `${fieldBytes} bytes, ${fieldCount} fields, body ${bodyBytes} bytes. A case about a limit that a server lacks is ` +
      'not counted for it.',
    'tsgun must do exactly what the case expects: the statuses, the fields of the answers, what the app sees, and ' +
      'whether the connection is closed.',
    'Other servers pass with any outcome that conforms to the RFC; the case lists them all. Compared are the statuses ' +
      'and whether the connection is closed. If the server reports what its app saw, so are the method, the target and ' +
      'the body.',
    `For other servers, any of ${refusals.join(', ')} counts as a refusal. After an error, the connection may stay ` +
      'open, unless an RFC says that the server MUST close it. A connection that is reset counts as closed. A reset can ' +
      `discard an answer on its way, so a case that fails with a reset is sent up to ${maxTries} times. After an answer ` +
      'with `Connection: close`, a server may close the connection and leave later requests unanswered.',
    'The cases were written together with tsgun. If an RFC leaves a choice (MAY, can, ought to, or nothing), the case ' +
      'lists the outcomes that we know. So a failure violates a MUST or a SHOULD. Many failures violate the same SHOULD ' +
      '(RFC 9112 §2.2): the answer to a request that does not match the grammar is 400, and the connection is closed. A ' +
      '500 is not a refusal: it says that the server failed.',
    'A case passes or fails as a whole. gunicorn gthread does not answer pipelined requests, so it fails each case that ' +
      'needs the answer to a second one.',
  ];
  const servers = results.map(({ contestant, version }) => {
    const { name, setup, incomparable } = contestant;
    const lacking =
      incomparable.length === 0 ? '' : ` Not counted: ${incomparable.map(({ what }) => what).join(', ')}.`;
    return `| ${name} | ${version} | ${setup}${lacking} |`;
  });
  return [...lines.map((line) => `- ${line}`), '\n| server | version | setup |\n|---|---|---|', ...servers].join('\n');
}

function sectionTable(cases: readonly Case[], results: readonly Result[]): string {
  const sections = bySectionInOrder(cases);
  const cells = (chosen: readonly Case[]) =>
    results.map((result) => {
      const { passed, total } = score(result, chosen);
      return total === 0 ? '–' : `${passed}/${total}`;
    });
  const row = (words: readonly string[]) => `| ${words.join(' | ')} |`;
  return [
    row(['section', ...results.map(({ contestant }) => contestant.name)]),
    row(['---', ...results.map(() => '--:')]),
    ...sections.map(([section, chosen]) => row([section, ...cells(chosen)])),
    row(['**total**', ...cells(cases).map((cell) => `**${cell}**`)]),
  ].join('\n');
}

/** A table for each section, with a column for each server: most of these cases are failed by more than one. */
function failureTables(cases: readonly Case[], results: readonly Result[]): string[] {
  const others = results.filter(({ contestant }) => !contestant.isOurs);
  const failed = cases.filter((each) => others.some(({ verdicts }) => verdicts.get(each)?.passed === false));
  const names = others.map(({ contestant }) => contestant.name);
  return bySectionInOrder(failed).map(([section, chosen]) =>
    [
      `### ${section}\n`,
      `| case | expected | ${names.join(' | ')} |`,
      `|---|---|${names.map(() => '---|').join('')}`,
      ...chosen.map((each) => {
        const expected = [each.expected, ...each.alternatives].map((outcome) => `\`${inWords(outcome)}\``).join(' or ');
        return `| ${each.name} | ${expected} | ${others.map(({ verdicts }) => cell(verdicts.get(each))).join(' | ')} |`;
      }),
    ].join('\n'),
  );
}

function cell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'not counted';
  if (verdict.passed) return '✓';
  const sightings = verdict.faults
    .filter((fault) => fault.startsWith('saw '))
    .map((fault) => fault.replaceAll('|', '\\|'));
  return [`\`${verdict.came}\``, ...sightings].join(', ');
}

function inWords({ statuses, closes, mayWait = false }: Outcome): string {
  const end = mayWait ? ['open'] : closes ? ['close'] : [];
  return [...inRuns(statuses), ...end].join(' ');
}
