/**
 * Sends every conformance case to tsgun in each worker class, node:http, nginx and gunicorn, and writes
 * `docs/conformance.md`. Exits 1 if tsgun fails a case.
 *
 *   npm run conformance [-- SERVER …] [--out FILE] [--patience-ms N]
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Case, loadCases } from '../conformance.ts';
import type { Target } from '../observe.ts';
import { freePort } from './process.ts';
import { type Result, score, writeReport } from './report.ts';
import { type Contestant, contestants } from './servers.ts';
import { judgeOther, judgeOurs, type Verdict } from './verdict.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: fileURLToPath(new URL('../../../docs/conformance.md', import.meta.url)) },
    // How long a server may take for a case until its connection counts as open.
    'patience-ms': { type: 'string', default: '3000' },
  },
});
const patienceMs = Number(values['patience-ms']);
const chosen = contestants.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0) throw new Error(`no such server; there are ${contestants.map(({ name }) => name).join(', ')}`);

const cases = loadCases();
const results: Result[] = [];
for (const contestant of chosen) {
  const result = await run(contestant);
  results.push(result);
  const { passed, total } = score(result, cases);
  console.log(`${contestant.name} (${result.version}): ${passed}/${total}`);
  for (const [each, verdict] of result.verdicts) {
    if (verdict === undefined || verdict.passed) continue;
    // What others fail is in docs/conformance.md.
    if (contestant.isOurs || chosen.length < contestants.length)
      console.log(`  ${each.place} ${each.name}: ${verdict.faults.join('; ')}`);
  }
}
if (chosen.length === contestants.length)
  writeFileSync(values.out, writeReport(cases, results, new Date().toISOString().slice(0, 10), patienceMs));
const isPassed = results.every((result) => {
  const { passed, total } = score(result, cases);
  return !result.contestant.isOurs || passed === total;
});
process.exitCode = isPassed ? 0 : 1;

async function run(contestant: Contestant): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'tsgun-conformance-'));
  const port = await freePort();
  const server = await contestant.open(port, directory);
  try {
    const target: Target = { host: '127.0.0.1', port, close: () => server.close() };
    const verdicts = new Map<Case, Verdict | undefined>(cases.map((each) => [each, undefined]));
    const waiting = cases.filter((each) => !contestant.incomparable.some(({ cases }) => cases.test(each.name)));
    const judge = contestant.isOurs ? judgeOurs : judgeOther;
    const work = async () => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift())
        verdicts.set(each, await judge(target, each, patienceMs));
    };
    await Promise.all(Array.from({ length: contestant.concurrency }, work));
    return { contestant, version: contestant.version(), verdicts };
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
