/** What `tsgun` alone prints: how to start an app, and which apps are here. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folders = ['', 'src/', 'dist/', 'build/'];
const names = ['server', 'app', 'index', 'main'];
const extensions = ['ts', 'mts', 'js', 'mjs', 'cjs'];

/** @param directory searched for an app to name as an example */
export function renderUsage(directory: string): string {
  const files = folders.flatMap((folder) =>
    names.flatMap((name) => extensions.map((extension) => `${folder}${name}.${extension}`)),
  );
  const app = files.find((file) => existsSync(join(directory, file)));
  const example = app ?? 'app.ts';
  return `Usage: tsgun [options] APP

${app === undefined ? '' : `This directory has ${app}. `}For example:
  tsgun ${example}
  tsgun ${example} --workers auto --bind 0.0.0.0:8000

  tsgun --help           all options
  tsgun --help workers   all about one option`;
}
