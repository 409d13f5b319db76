/**
 * Builds dist/ unless it is newer than all that it is made of: npm calls this not only after an installation, but also each time
 * that `npx tsgun` runs in this folder.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = [
  'src',
  'packages/create-tsgun/src',
  'build',
  'api',
  'package.json',
  'rolldown.config.mjs',
  'tsconfig.build.json',
];

if (!isBuilt()) process.exitCode = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' }).status ?? 1;

function isBuilt() {
  const command = statSync(`${root}dist/cli.js`, { throwIfNoEntry: false });
  // The last step of a build makes it executable: one that was interrupted is made again.
  const isWhole = command !== undefined && (command.mode & 0o100) !== 0;
  return isWhole && sources.every((each) => newest(`${root}${each}`) < command.ctimeMs);
}

/** When a file, or any of a folder, was changed last. */
function newest(path) {
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}
