/** Asks Node which options it accepts: only Node knows. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { report } from '../../errors.ts';
import type { Checked } from '../cross-checks.ts';

/** Options that Node has accepted are not tried again at each reload. */
const accepted = new Set<string>();
const longestTryMs = 10_000;

/**
 * Runs Node with these options, to print its version and nothing else.
 * @returns Node's error, or undefined
 */
export async function tryNodeOptions({ settings: { nodeOptions }, origins }: Checked): Promise<string[]> {
  const key = JSON.stringify(nodeOptions);
  if (nodeOptions.length === 0 || accepted.has(key)) return [];
  try {
    await promisify(execFile)(process.execPath, [...nodeOptions, '--version'], { timeout: longestTryMs });
    accepted.add(key);
    return [];
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const got =
      complaintIn(stderr) ?? (stderr.trim() === '' ? report(error).message : stderr.trim().split('\n').at(-1));
    return [`nodeOptions: expected options that Node ${process.version} takes, got ${got} (${origins.nodeOptions})`];
  }
}

const complaints = /^bad option: | requires | not allowed |: not found$/;

/** Node begins its own lines with its path. */
function complaintIn(stderr: string): string | undefined {
  const ownLines = stderr.split('\n').filter((line) => line.startsWith(`${process.execPath}: `));
  const texts = ownLines.map((line) => line.slice(process.execPath.length + 2));
  return texts.find((text) => complaints.test(text))?.replace(/^bad option: /, '');
}
