/** Runs a command for a running instance: finds it, asks it, prints what it says. */

import { writeFileSync } from 'node:fs';
import { ConfigError, describe } from '../errors.ts';
import type { ControlOrder } from '../ipc/control.ts';
import type { WorkerRequests } from '../master/children/running.ts';
import type { ControlClient } from './client.ts';
import { CommandError, CommandExit, exitOf } from './failures.ts';
import { find } from './find.ts';
import type { CommandName } from './names.ts';
import { type Given, readOptions, readPid, readSeconds, renderHelpOf } from './options.ts';
import { hottest, merge, type WorkerProfiles } from './profiles.ts';
import { listRequests, renderRequests, renderStacks, type WorkerStacks } from './requests.ts';
import { type FullStatus, renderStatus, renderWorkers } from './status.ts';
import { bytes, clean } from './text.ts';

export interface Terminal {
  /** A line, or several. */
  print(text: string): void;
  /** Bytes as they are. */
  write(bytes: Uint8Array): void;
  complain(text: string): void;
  readonly columns: number;
}

const forEver = Number.POSITIVE_INFINITY;
/** What a profile may take beyond its own time: the watchdog waits for threads in native code, and the answer travels. */
const profileMs = 15_000;
/** A profile holds paths and names of the app: only its owner may read it. */
const fileMode = 0o600;

export async function runCommand(
  name: CommandName,
  words: readonly string[],
  terminal: Terminal,
): Promise<CommandExit> {
  try {
    const given = readOptions(name, words);
    if (given === undefined) {
      terminal.print(renderHelpOf(name));
      return CommandExit.done;
    }
    if (name === 'top') {
      // The others have no use for it.
      const { top } = await import('./top/top.ts');
      return await top(given.target, words);
    }
    // Ahead of the connection: a wrong command line is wrong whether somebody is there or not.
    const order = orderOf(given);
    const client = await find(given.target);
    try {
      return await runners[name]({ client, given, order, terminal });
    } finally {
      client.close();
    }
  } catch (error) {
    const code = exitOf(error);
    if (code === undefined) throw error;
    for (const line of (error as Error).message.split('\n')) terminal.complain(`tsgun: ${line}`);
    return code;
  }
}

/** @throws ConfigError */
function orderOf({ name, argument, options, isJson }: Given): ControlOrder {
  if (isJson && options.output === '-')
    throw new ConfigError(
      '--json: standard output takes the file of --output - alone; name a file, or leave --json out',
    );
  const pid = argument === undefined ? undefined : { pid: () => readPid('PID', argument) };
  if (name === 'workers') return { command: 'status' };
  if (name === 'reload') return { command: 'reload', wait: options.wait === true };
  if (name === 'scale') {
    if (!/^\d{1,4}$/.test(argument!) || Number(argument) < 1 || Number(argument) > 1024)
      throw new ConfigError(`tsgun scale: expected a whole number from 1 to 1024, got ${describe(argument)}`);
    return { command: 'scale', workers: Number(argument) };
  }
  if (name === 'log-level') return { command: 'log-level', level: argument!.toLowerCase() as never };
  if (name === 'stacks') return { command: 'stacks', ...(pid && { pid: pid.pid() }) };
  if (name === 'profile') {
    const { format = 'cpuprofile' } = options;
    if (format !== 'cpuprofile' && format !== 'pprof')
      throw new ConfigError(`--format: expected cpuprofile or pprof, got ${describe(format)}`);
    return { command: 'profile', seconds: readSeconds(options.seconds, 5), ...(pid && { pid: pid.pid() }) };
  }
  if (name === 'heap' && options.snapshot === true) {
    const other = ['seconds', 'output'].find((each) => options[each] !== undefined);
    if (other !== undefined)
      throw new ConfigError(`--${other} does nothing with --snapshot: the worker writes the file, and says where`);
    return { command: 'snapshot', pid: pid!.pid() };
  }
  if (name === 'heap') return { command: 'heap', seconds: readSeconds(options.seconds, 10), pid: pid!.pid() };
  return { command: name as 'status' | 'requests' | 'stop' };
}

interface Call {
  readonly client: ControlClient;
  readonly given: Given;
  readonly order: ControlOrder;
  readonly terminal: Terminal;
}

type Runner = (call: Call) => Promise<CommandExit>;

/** Prints the answer, as JSON or as text. */
const shown =
  <T>(
    render: (answer: T, call: Call) => string,
    toJson: (answer: T, call: Call) => unknown = (answer) => answer,
  ): Runner =>
  async (call) => {
    const { client, order, given, terminal } = call;
    const answer = await client.ask<T>(order);
    terminal.print(given.isJson ? JSON.stringify(toJson(answer, call)) : render(answer, call));
    return CommandExit.done;
  };

const runners: Readonly<Record<Exclude<CommandName, 'top'>, Runner>> = {
  status: shown<FullStatus>((status, { terminal }) => renderStatus(status, terminal.columns)),
  workers: shown<FullStatus>(
    ({ workers }, { terminal }) => renderWorkers(workers, terminal.columns).join('\n'),
    ({ workers }) => workers,
  ),
  requests: shown<WorkerRequests[]>(
    (workers, { given, terminal }) => renderRequests(workers, given.options.query === true, terminal.columns),
    (workers, { given }) => listRequests(workers, given.options.query === true),
  ),
  stacks: shown<WorkerStacks[]>((workers) => renderStacks(workers)),
  scale: shown<{ from: number; workers: number }>(({ from, workers }) =>
    from === workers ? `workers wanted: ${workers}, as before` : `workers wanted: ${workers}, ${from} before`,
  ),
  'log-level': shown<{ level: string }>(({ level }) => `the log shows ${level} and above until the next reload`),
  reload,
  stop,
  profile,
  heap,
};

async function reload({ client, given, order, terminal }: Call): Promise<CommandExit> {
  const isAwaited = given.options.wait === true;
  type Outcome = { isGood?: boolean; generation?: number; error?: string };
  const outcome = await client.ask<Outcome>(order, isAwaited ? forEver : undefined);
  if (given.isJson) terminal.print(JSON.stringify(outcome));
  if (!isAwaited) {
    if (!given.isJson) terminal.print('reloading; the log says how it ends, and --wait would wait for that');
    return CommandExit.done;
  }
  if (outcome.isGood !== true)
    throw new CommandError(
      `the reload has failed, and what ran before serves on: ${outcome.error ?? 'no reason given'}`,
    );
  if (!given.isJson) terminal.print(`reloaded: generation ${outcome.generation} serves`);
  return CommandExit.done;
}

async function stop({ client, given, order, terminal }: Call): Promise<CommandExit> {
  const { workers } = await client.ask<{ workers: number }>(order);
  if (!given.isJson)
    terminal.print(`stopping ${workers} worker${workers === 1 ? '' : 's'}: their requests are finished first`);
  await client.ended;
  terminal.print(given.isJson ? JSON.stringify({ workers }) : 'stopped');
  return CommandExit.done;
}

async function profile({ client, given, order, terminal }: Call): Promise<CommandExit> {
  const { seconds } = order as ControlOrder & { command: 'profile' };
  const workers = await client.ask<WorkerProfiles[]>(order, seconds * 1000 + profileMs);
  for (const { worker, pid, error, missing = [] } of workers)
    for (const problem of error === undefined ? missing : [error])
      terminal.complain(`tsgun: worker ${worker} (${pid}): ${clean(problem)}`);
  const answered = workers.filter(({ profiles = [] }) => profiles.length > 0);
  if (answered.length === 0) throw new CommandError('no worker has given a profile');
  const merged = merge(answered);
  const isPprof = given.options.format === 'pprof';
  const content = isPprof ? (await import('./pprof.ts')).toPprof(merged) : Buffer.from(JSON.stringify(merged));
  const path = save(content, isPprof ? 'pb.gz' : 'cpuprofile', 'profile', given, terminal);
  const hot = hottest(merged, 5);
  if (given.isJson) {
    const described = workers.map(({ worker, pid, profiles = [], missing = [], error = null }) => ({
      worker,
      pid,
      threads: profiles.map(({ thread }) => thread),
      missing,
      error,
    }));
    terminal.print(JSON.stringify({ path, hottest: hot, workers: described }));
    return CommandExit.done;
  }
  for (const { name, place, share } of hot)
    terminal.complain(
      `  ${`${(share * 100).toFixed(1)} %`.padStart(7)}  ${clean(name)}${place === '' ? '' : ` (${clean(place)})`}`,
    );
  return CommandExit.done;
}

async function heap({ client, given, order, terminal }: Call): Promise<CommandExit> {
  if (order.command === 'snapshot') {
    terminal.complain('the worker finishes its requests, and another takes its place');
    const { path, bytes: size } = await client.ask<{ path: string; bytes: number }>(order, forEver);
    if (given.isJson) terminal.print(JSON.stringify({ path, bytes: size }));
    else terminal.complain(`written: ${clean(path)} (${bytes(size)})`);
    return CommandExit.done;
  }
  const { seconds } = order as ControlOrder & { command: 'heap' };
  const { heap: found, error } = await client.ask<{ heap?: object; error?: string }>(order, seconds * 1000 + profileMs);
  if (found === undefined) throw new CommandError(clean(error ?? 'the worker has given no profile'));
  const path = save(Buffer.from(JSON.stringify(found)), 'heapprofile', 'heap', given, terminal);
  if (given.isJson) terminal.print(JSON.stringify({ path }));
  return CommandExit.done;
}

/**
 * Under a name that is not there yet; in a folder that is open to all, nobody's link is followed.
 * @returns the name
 */
function save(
  content: Uint8Array,
  ending: string,
  what: string,
  { options, isJson }: Given,
  terminal: Terminal,
): string {
  const { output } = options;
  if (output === '-') {
    terminal.write(content);
    return output;
  }
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const path = typeof output === 'string' ? output : `tsgun-${what}-${stamp}-${process.pid}.${ending}`;
  try {
    writeFileSync(path, content, typeof output === 'string' ? { mode: fileMode } : { mode: fileMode, flag: 'wx' });
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${(error as Error).message}; name another file by --output`);
  }
  if (!isJson) terminal.complain(`written: ${path}`);
  return path;
}
