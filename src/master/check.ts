/** `--check-config`: loads the app in a worker that listens nowhere, and ends it. Nothing of a running service is touched. */

import { type Configuration, chosenSettings } from '../config/load.ts';
import { BootError, ConfigError, type ErrorReport, revive } from '../errors.ts';
import { explainBoot, notReady, type SlowBoot } from './children/exits.ts';
import { type ChildProcess, spawnWorker } from './children/spawn.ts';
import { identityOf } from './generations/identity.ts';
import { systemProblems } from './generations/system-checks.ts';
import { overstayMs, quickStopMs } from './notes.ts';
import { policyOf } from './policy.ts';
import { checkDescriptorLimit } from './surroundings/descriptor-limit.ts';

export interface Checked {
  readonly appInterface: string;
  readonly doubt: string | undefined;
}

/**
 * @param stop resolves when the user ends the check
 * @param warn called if the check takes long
 * @returns the recognised interface, and warnings for the operator
 * @throws ConfigError, BootError or AppLoadError, as a start would
 */
export async function checkApp(
  configuration: Configuration,
  stop: Promise<unknown>,
  warn: (text: string) => void,
): Promise<Checked> {
  const { app, appArguments, directory, environment, settings } = configuration;
  const problems = await systemProblems(configuration);
  if (problems.length > 0) throw new ConfigError(problems);
  const doubt = checkDescriptorLimit(configuration);
  const identity = await identityOf(settings, configuration.origins);
  const umask = settings.umask ?? process.umask();
  // The log file belongs to the running service. This worker's messages are for the user of `--check-config`.
  const quiet = { ...settings, errorLogfile: '-', keyfilePassword: undefined };
  const order = {
    seat: 1,
    worker: 1,
    generation: 1,
    app,
    appArguments,
    directory,
    identity,
    umask,
    settings: quiet,
    chosen: chosenSettings(configuration),
    sockets: [],
    samplesAllocations: false,
  };
  const policy = policyOf(settings);

  return new Promise((resolve, reject) => {
    const child: { state: 'booting' | 'ready' | 'killed' } = { state: 'booting' };
    let found: string | undefined;
    let error: ErrorReport | undefined;
    let slowBoot: SlowBoot = {};
    let isStopped = false;
    const kill = () => {
      if (child.state === 'booting') child.state = 'killed';
      worker?.kill();
    };
    // Node would take an endless time for a millisecond.
    const timer = Number.isFinite(policy.bootMs) ? setTimeout(kill, policy.bootMs) : undefined;
    const worker: ChildProcess | undefined = spawnWorker({
      order,
      environment,
      onMessage: (message) => {
        if (message.type === 'boot_failed') error = message.error;
        else if (message.type === 'stalled') slowBoot = { stack: message.stack };
        else if (message.type === 'waits') {
          slowBoot = { waits: message.why, stack: message.stack };
          warn(`the worker is ${notReady(policy.bootMs, message.why)}`);
        }
        if (message.type !== 'ready') return;
        found = message.interface;
        child.state = 'ready';
        worker?.send({ type: 'quit', graceMs: quickStopMs });
        setTimeout(kill, quickStopMs + overstayMs).unref();
      },
      onExit: (code, signal) => {
        clearTimeout(timer);
        if (found !== undefined) resolve({ appInterface: found, doubt });
        else if (isStopped) reject(new BootError('stopped by a signal before the app was loaded'));
        else reject(revive(error ?? explainBoot(child, policy, { code, signal }, slowBoot)));
      },
    });
    void stop.then(() => {
      isStopped = true;
      kill();
    });
  });
}
