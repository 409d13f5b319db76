/** Runs h2load on a core, and reads what it says. */

import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

export const isThere = spawnSync('which', ['h2load']).status === 0;

/** On one connection for each of 32 clients; over HTTP/2 ten streams at once on each of ten. */
export const loads = { h2: ['-c', '10', '-m', '10'], h1: ['-c', '32', '--h1'] };

const protocols = { h2: 'h2', h1: 'http/1.1' };

/**
 * @param {string} url
 * @param {keyof typeof loads} kind
 * @param {object} options
 * @param {readonly string[]} options.length `-n` and how many
 * @param {string} options.cores as taskset takes them
 * @param {number} options.bodyBytes of the right answer
 * @returns {Promise<{ requests: number, rate: number, meanMs: number }>}
 * @throws Error where an answer was not 2xx, had another length, or came by another protocol
 */
export async function runH2load(url, kind, { length, cores, bodyBytes }) {
  const args = ['-c', cores, 'h2load', ...length, ...loads[kind], url];
  const { stdout } = await promisify(execFile)('taskset', args, { timeout: 120_000 });
  return readH2load(stdout, protocols[kind], bodyBytes);
}

const units = { us: 0.001, ms: 1, s: 1000 };

/** @param {string} text what h2load printed */
export function readH2load(text, protocol, bodyBytes) {
  const spoken = /^Application protocol: (.*)$/m.exec(text)?.[1];
  if (spoken !== protocol) throw new Error(`it speaks ${spoken ?? 'nothing'}, not ${protocol}`);
  const number = (pattern) => Number(pattern.exec(text)?.[1]);
  const requests = number(/(\d+) succeeded/);
  const bad = ['failed', 'errored', 'timeout'].flatMap((name) => {
    const count = number(new RegExp(`(\\d+) ${name}`));
    return count === 0 ? [] : [`${count} × ${name}`];
  });
  const right = number(/status codes: (\d+) 2xx/);
  if (right < requests) bad.push(`${requests - right} × not 2xx`);
  const bytes = number(/\((\d+)\) data/);
  if (bytes !== requests * bodyBytes)
    bad.push(`${requests} answers had ${bytes} bytes, where right ones have ${requests * bodyBytes}`);
  if (!(requests > 0)) bad.push('no request was answered');
  if (bad.length > 0) throw new Error(bad.join('; '));
  const [, , , mean = '', unit = ''] = /^time for request:\s+(\S+)\s+(\S+)\s+([\d.]+)(us|ms|s)\s/m.exec(text) ?? [];
  const rate = number(/finished in [\d.]+m?s, ([\d.]+) req\/s/);
  return { requests, rate, meanMs: Number(mean) * units[unit] };
}
