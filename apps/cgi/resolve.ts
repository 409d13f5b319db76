/** Which program a path means (RFC 3875 §3.2), and that it is one under the root. */

import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

export interface Program {
  readonly file: string;
  /** What of the path named it, such as `/search`; empty or begins with a slash, like the rest. */
  readonly scriptName: string;
  /** What follows. */
  readonly pathInfo: string;
}

/**
 * The first file along the path is the program, and what follows is for it.
 * @param path percent-decoded text
 * @returns undefined if there is no program; `forbidden` if it may not be run
 */
export async function resolveProgram(root: string, path: string): Promise<Program | 'forbidden' | undefined> {
  const top = await realpath(root);
  const segments = path.split('/').slice(1);
  let file = top;
  for (const [index, segment] of segments.entries()) {
    if (!isName(segment)) return undefined;
    file = join(file, segment);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) return undefined;
    if (found.isDirectory()) continue;
    // Links were followed: a program outside of the root is not served.
    if (!(await realpath(file)).startsWith(top + sep)) return undefined;
    const isProgram = found.isFile() && (await mayRun(file));
    const rest = segments.slice(index + 1);
    const scriptName = `/${segments.slice(0, index + 1).join('/')}`;
    return isProgram ? { file, scriptName, pathInfo: rest.map((name) => `/${name}`).join('') } : 'forbidden';
  }
  return undefined;
}

/** No way out of the root, and nothing hidden. */
function isName(segment: string): boolean {
  return segment !== '' && !segment.startsWith('.') && !/[\\\0]/.test(segment);
}

async function mayRun(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
