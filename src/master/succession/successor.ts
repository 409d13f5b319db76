/**
 * A new master beside this one, on the same sockets: for a new version of Node or of tsgun itself. Both serve until an operator
 * ends one of them by a signal, so the way back stays open.
 */

import { spawn } from 'node:child_process';
import { activatedVariable } from '../../config/sources/activation.ts';
import type { Fields } from '../../logger.ts';
import type { AdminListener } from '../admin/listener.ts';
import type { Generation } from '../generations/generation.ts';
import { type CountersFile, countersVariable } from '../metrics/counters-file.ts';
import { giveAdmin } from './admin.ts';
import { describeHandover, shareFiles, socketsVariable } from './handover.ts';

const predecessorVariable = 'TSGUN_PREDECESSOR';
/** The first descriptor after stdin, stdout and stderr. */
const firstFd = 3;

/** The environment at the start, before a config file could change it. The successor starts with the same one. */
const { [predecessorVariable]: predecessorText, [countersVariable]: countersText, ...environment } = process.env;
delete process.env[predecessorVariable];
delete process.env[countersVariable];
// Without the pid, the watchdog's interval holds for every process that reads it, the successor included.
for (const name of [socketsVariable, activatedVariable, 'LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'WATCHDOG_PID'])
  delete environment[name];

/** The pid of the master that started this one beside itself, while it lives. */
export function predecessor(): number | undefined {
  return Number(predecessorText) === process.ppid ? process.ppid : undefined;
}

export interface Succession {
  /** The listener that the new master takes over. */
  readonly admin: () => AdminListener | undefined;
  readonly counters: CountersFile;
  /** Called when the new master has exited. */
  readonly onGone: () => void;
}

/** From the predecessor: its counters, and where this master is to count. See `CountersFile`. */
export const inheritedCounters = countersText;

export class Successor {
  /** Of the master that was started beside this one, until it exits. */
  private pid: number | undefined = undefined;
  private readonly home: string;

  /** @param home the directory in which this master was started, by the name that the user gave it */
  constructor(home: string) {
    this.home = home;
  }

  /** The pid of the master that runs beside this one, whichever of the two came first. */
  get other(): number | undefined {
    return this.pid ?? predecessor();
  }

  /**
   * Starts one with this process's own command line, unless there are two masters already.
   * @param asked who gave the command, for the log
   */
  start(asked: Fields, generation: Generation, { admin, counters, onGone }: Succession): void {
    const { log } = generation;
    const { other } = this;
    if (other !== undefined)
      return log.say('warn', { ...asked, other }, `ignored: master ${other} runs beside this one already`);
    const handover = describeHandover(generation.configuration, generation.listeners, firstFd);
    if (handover === undefined)
      return log.event(
        'error',
        'reload_failed',
        asked,
        'no new master: sockets cannot be handed over with TSGUN_NO_INTERNALS set',
      );
    const counted = counters.handOver(firstFd + handover.stdio.length);
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      cwd: this.home,
      env: {
        ...environment,
        PWD: this.home,
        ...handover.env,
        ...counted.env,
        [predecessorVariable]: String(process.pid),
      },
      stdio: ['inherit', 'inherit', 'inherit', ...handover.stdio, ...counted.stdio, 'ipc'],
    });
    const { pid } = child;
    child.once('error', (error) => {
      const fields = { ...asked, error: error.message };
      if (pid === undefined) log.event('error', 'reload_failed', fields, `no new master: ${error.message}`);
    });
    if (pid === undefined) return;
    this.pid = pid;
    shareFiles(generation.listeners, pid);
    giveAdmin(child, admin);
    log.event('info', 'reload_started', { ...asked, successor: pid }, 'a new master starts beside this one');
    child.once('exit', (code, signal) => {
      this.pid = undefined;
      const fields = { successor: pid, code, signal };
      log.event('warn', 'reload_failed', fields, 'the new master has exited: this one goes on alone');
      onGone();
    });
  }
}
