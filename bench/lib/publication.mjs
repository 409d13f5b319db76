/** The page and its charts from bench/results.json, and whether they are what it says. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peers } from '../peers/index.mjs';
import { scenarios } from '../scenarios/index.mjs';
import { pageOf } from './page.mjs';
import { benchPath } from './servers.mjs';

const resultsFile = benchPath('results.json');
const docs = fileURLToPath(new URL('../../docs/', import.meta.url));

/** @param {import('./page.mjs').Report} report */
export function publish(report) {
  writeFileSync(resultsFile, `${JSON.stringify(report, undefined, 1)}\n`);
  rmSync(join(docs, 'benchmarks'), { recursive: true, force: true });
  for (const [path, text] of Object.entries(pageOf(scenarios, peers, report))) {
    mkdirSync(dirname(join(docs, path)), { recursive: true });
    writeFileSync(join(docs, path), text);
  }
  console.log('written: docs/benchmarks.md, docs/benchmarks/*.svg, bench/results.json');
}

/** @returns {string | undefined} what is wrong */
export function check() {
  const published = publishedFiles();
  if (!existsSync(resultsFile))
    return published.length === 0 ? undefined : `${published.join(', ')}: there is no bench/results.json for it`;
  const wanted = pageOf(scenarios, peers, JSON.parse(readFileSync(resultsFile, 'utf8')));
  const names = new Set([...Object.keys(wanted), ...published]);
  const differing = [...names].filter((path) => textOf(path) !== wanted[path]);
  if (differing.length === 0) return undefined;
  return `docs/${differing.join(', docs/')}: not what bench/results.json says; run npm run bench -- --publish`;
}

function publishedFiles() {
  const charts = existsSync(join(docs, 'benchmarks')) ? readdirSync(join(docs, 'benchmarks')) : [];
  return [
    ...(existsSync(join(docs, 'benchmarks.md')) ? ['benchmarks.md'] : []),
    ...charts.map((name) => `benchmarks/${name}`),
  ];
}

function textOf(path) {
  return existsSync(join(docs, path)) ? readFileSync(join(docs, path), 'utf8') : undefined;
}
