/** `docs/conformance.md`, out of the verdicts. Every word and number of it is written here. */

import { bySection, type Case, conformanceLimits, type Outcome } from '../conformance.ts';
import { refusals } from './refusals.ts';
import type { Contestant } from './servers.ts';
import { inRuns, type Verdict } from './verdict.ts';

export interface Result {
  readonly contestant: Contestant;
  readonly version: string;
  /** Undefined for a case that says nothing about this server. */
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

/** `Map.groupBy`, which Node 20 does not have, by section and in their order. */
function bySectionInOrder(cases: readonly Case[]): [section: string, cases: Case[]][] {
  return bySection(cases).sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }));
}

export function writeReport(cases: readonly Case[], results: readonly Result[], date: string): string {
  return `${[
    '# Conformance',
    `The ${cases.length} cases of [test/http/conformance](../test/http/conformance) were sent to tsgun and to other ` +
      `servers on ${date}. This page is written by \`npm run conformance\`, which fails if tsgun fails a case.`,
    '## Method',
    method(results),
    '## Passed, by section',
    sectionTable(cases, results),
    '## What other servers fail',
    'Outcomes are written as in the cases: the statuses in order, then what happened to the connection. `close`: the ' +
      'server closed it. `reset`: the server reset it, and no answer arrived. `open`: the server neither answered nor ' +
      'closed it. None of these: it served another request.',
    ...failureTables(cases, results),
  ].join('\n\n')}\n`;
}

function method(results: readonly Result[]): string {
  const { requestLineBytes, fieldCount, fieldBytes, bodyBytes } = conformanceLimits;
  const lines = [
    'Every case is sent as a whole on its own connection over loopback. If the connection should stay open after it, ' +
      'one more request follows.',
    `Limits are equal where a server has them: request line ${requestLineBytes} bytes, field line ${fieldBytes} bytes, ` +
      `${fieldCount} fields, body ${bodyBytes} bytes. A case about a limit that a server lacks is not counted for it.`,
    'tsgun must do exactly what the case expects: statuses, the fields of its answers, what the app sees, the end of the ' +
      'connection.',
    'Other servers pass by any outcome that the case lists as conforming. Checked are statuses, the end of the ' +
      'connection, and, if the server can report them, the method, target and body that the app saw.',
    `For them, any of ${refusals.join(', ')} counts as a refusal. If no MUST asks for the end of the connection, it ` +
      'may stay open after an error. A reset after all answers counts as a close, and such a case is tried again. A ' +
      'server may close after any answer with `Connection: close`; later requests then need no answer.',
    'The cases were written together with tsgun. If an RFC leaves a choice (MAY, can, ought to, or nothing), they list ' +
      'the known outcomes. A failure violates a MUST or a SHOULD. Many violate one SHOULD: a request that does not match ' +
      'the grammar is answered 400, and the connection is closed (RFC 9112 §2.2). A 500 is not a refusal: it says that ' +
      'the server failed.',
    'A case fails as a whole: a server that does not answer pipelined requests, as gunicorn gthread, fails each case ' +
      'that needs a second request.',
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

/** Grouped by section, with the servers beside each other: most cases are failed by more than one. */
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
