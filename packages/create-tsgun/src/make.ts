/** Writes a project, and installs what it needs. */

import { spawn } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Choice, Refusal } from './options.ts';
import { projectFiles } from './project.ts';

/** What may be there: a fresh clone, or what a system leaves everywhere. */
const harmless = ['.git', '.DS_Store', 'Thumbs.db', '.idea', '.vscode'];

/** @returns what is wrong with the directory; undefined where a project can be made in it */
export async function directoryProblem(path: string): Promise<string | undefined> {
  try {
    const names = (await readdir(path)).filter((name) => !harmless.includes(name));
    if (names.length === 0) return undefined;
    const some = names.slice(0, 3).join(', ') + (names.length > 3 ? ', ...' : '');
    return `${path} is not empty (${some}): name another directory, nothing is overwritten`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') return `${path} is a file: name another directory`;
    return `${path} cannot be read (${code}): name another directory`;
  }
}

/** @throws Refusal where it cannot be written, or something is there */
export async function writeProject(choice: Choice, tsgun: string): Promise<void> {
  const { directory } = choice;
  const problem = await directoryProblem(directory);
  if (problem !== undefined) throw new Refusal(problem);
  try {
    await mkdir(dirname(directory), { recursive: true });
    // Not recursively: where nothing can be made, as in /proc, Node's recursive form never ends.
    await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    for (const [name, text] of Object.entries(projectFiles(choice, tsgun))) {
      const path = join(directory, name);
      await mkdir(dirname(path), { recursive: true });
      // Not over a file that somebody made meanwhile.
      await writeFile(path, text, { flag: 'wx' });
    }
  } catch (error) {
    throw new Refusal(`${directory} cannot be written: ${(error as Error).message}`);
  }
}

/** The package manager that runs this: npm, pnpm, yarn or bun. */
export function packageManager(userAgent = process.env.npm_config_user_agent ?? ''): string {
  const name = userAgent.split('/', 1)[0]!;
  return ['pnpm', 'yarn', 'bun'].includes(name) ? name : 'npm';
}

/** What a package manager says first when it fails: more of it is noise. */
const mostLines = 8;

/** @throws Refusal, with what the package manager said */
export async function install(directory: string, manager = packageManager()): Promise<void> {
  const args = manager === 'npm' ? ['install', '--no-audit', '--no-fund', '--loglevel=error'] : ['install'];
  const child = spawn(manager, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      said = (said + bytes).slice(-10_000);
    });
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `it ended with ${signal ?? `code ${code}`}`),
    );
  });
  if (problem === undefined) return;
  const first = said.trim().split('\n').slice(0, mostLines).join('\n');
  const isOffline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(said);
  const why = isOffline ? 'the registry cannot be reached: is there a network?' : problem;
  throw new Refusal(
    `the project is made, but ${manager} install failed: ${why}\n${first}\n\nTry again later: cd ${directory} && ${manager} install`,
  );
}
