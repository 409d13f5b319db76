#!/usr/bin/env node
/** `npm create tsgun`: a new app, with a test, a configuration and a Dockerfile. */

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { install, packageManager, writeProject } from './make.ts';
import { choose, parseOptions, Refusal, usage } from './options.ts';

async function main(argv: readonly string[]): Promise<number> {
  const asked = parseOptions(argv);
  if (asked.help) return say(usage);
  const isInteractive = !asked.yes && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const choice = isInteractive ? await (await import('./ask.ts')).ask(asked) : choose(asked);
  if (choice === undefined) return 1;
  await writeProject(choice, asked.tsgun ?? `^${ownVersion()}`);
  const manager = packageManager();
  if (asked.install) {
    say(`Installing with ${manager} ...`);
    await install(choice.directory, manager);
  }
  const path = relative(process.cwd(), choice.directory);
  const steps = [
    ...(path === '' ? [] : [`cd ${path}`]),
    ...(asked.install ? [] : [`${manager} install`]),
    `${manager} run dev`,
  ];
  return say(`\n${choice.name} is made (${choice.template}, ${choice.language}). Next:\n\n  ${steps.join('\n  ')}\n`);
}

/** A version of this package is for the same version of tsgun. */
function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`create-tsgun: ${error.message}\n`);
  process.exitCode = 1;
}
