/**
 * The catalogue of the errors that a user meets: tsgun is started in a wrong way, and what it says then, on which stream,
 * and with which exit code, stands beside it in full, as people read it.
 */

import { renderComplaint } from '../../../src/complaint.ts';
import { accept, draftConfiguration } from '../../../src/config/load.ts';
import { parseCommandLine } from '../../../src/config/sources/command-line.ts';
import { meant } from '../../../src/control/meant.ts';
import { report } from '../../../src/errors.ts';
import { makeFolder, Tsgun } from '../harness.ts';

const files: Readonly<Record<string, string>> = {
  'good.mjs': 'export default (env, startResponse) => { startResponse("200 OK", []); return ["good"]; };',
  'syntax.ts': 'export default (env, startResponse => {}',
  'syntax.mjs': 'export default (env, startResponse => {}',
  'throws.ts': 'interface A { a: 1 }\n\nthrow new Error("no database")',
  'object.mjs': 'export default { port: 80 }',
  'number.mjs': 'export default 7',
  'class.mjs': 'export default class Shop {}',
  'unclear.mjs': 'export default (a, b) => {}',
  'nothing.mjs': 'export const other = 1',
  'exits.mjs': 'process.exit(5)',
  'waits.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000))',
  'escapes.mjs':
    'setTimeout(() => { throw new Error("too late") }); await new Promise(() => { setTimeout(() => {}, 60_000) })',
  'missing-import.mjs': 'import "./not-there.mjs"; export default () => []',
  'factory.mjs': 'export const create = () => { throw new Error("no factory today") }; export const app = 7',
};

export interface Outcome {
  readonly code: number | null;
  /** Standard error, line by line. `$PWD` stands for the directory, `$NODE` for the version of Node. */
  readonly says?: readonly string[];
  /** Messages of the log, which is JSON here, from warnings on. */
  readonly logs?: readonly string[];
  readonly stdout?: string;
  /** Of the first of these messages, if it has one: where it says that the error is. */
  readonly stack?: string | undefined;
}

export interface Start extends Outcome {
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  /** Starts the command, where `complaintOf` would do for others of its kind. */
  readonly isWhole?: boolean;
}

const bound = { TSGUN_BIND: '127.0.0.1:0' };

export async function outcomeOf({ args, files: more = {}, env = {} }: Start): Promise<Outcome> {
  const { path } = makeFolder({ ...files, ...more });
  const tsgun = new Tsgun(args, { cwd: path, env: { ...bound, ...env } });
  const { code } = await tsgun.exited;
  const plain = (text: string) => plainText(text, path);
  const logs = tsgun.log.filter(({ level }) => ['warn', 'error', 'fatal'].includes(String(level)));
  const [, stack] = /\$PWD\/([^:]+:\d+)/.exec(plain(String(logs[0]?.stack ?? ''))) ?? [];
  return { code, says: tsgun.text.map(plain), logs: logs.map(({ msg }) => plain(msg)), stdout: tsgun.stdout, stack };
}

/**
 * As `outcomeOf`, without a process: what the command does up to a bad configuration, for the many that differ in words
 * only. A config file that is a module needs a process.
 */
export async function complaintOf({ args, files: more = {}, env = {} }: Start): Promise<Outcome> {
  const { path } = makeFolder({ ...files, ...more });
  const before = process.cwd();
  process.chdir(path);
  try {
    const asked = await parseCommandLine(args);
    if (!('line' in asked)) throw new Error(`it asks for ${asked.type}`);
    accept(await draftConfiguration(asked.line, { ...process.env, ...bound, ...env }, path));
    throw new Error('it would start');
  } catch (error) {
    const { exitCode = null } = report(error);
    const text = renderComplaint(report(error)) + (meant(args) ?? '');
    const says = text.trimEnd().split('\n');
    return { code: exitCode, says: says.map((line) => plainText(line, path)), logs: [], stdout: '', stack: undefined };
  } finally {
    process.chdir(before);
  }
}

/** Of a stack, the place: how a function is called there differs between versions of Node. */
function plainText(text: string, path: string): string {
  return text
    .replaceAll(path, '$PWD')
    .replaceAll(process.version, '$NODE')
    .replace(/^ {4}at .*?(\$PWD\/[^:]+:\d+).*$/, '    at $1');
}
