/** What becomes of a worker when an error escapes that nobody catches. */

import { type DescriptorError, descriptorError, missingDescriptors } from '../descriptors.ts';
import { AppLoadError, report } from '../errors.ts';
import { sendToMaster } from '../ipc/channel.ts';
import type { Shortages } from '../ipc/shortages.ts';
import type { Logger } from '../logger.ts';
import { isMainError } from '../node/main-module.ts';
import type { Exit } from './exit.ts';

export interface EscapeOptions {
  readonly log: Logger;
  readonly exit: Exit;
  readonly shortages: Shortages;
  readonly failBoot: (error: unknown) => unknown;
}

/**
 * How long a worker may be out of descriptors before the app is taken to leak them. Until then a replacement would not help:
 * it has as few.
 */
const leakMs = 10_000;

/** The error leaves the app in a state that nobody knows: the worker is replaced, after the requests that run. */
export function watchForEscapedErrors({ log, exit, shortages, failBoot }: EscapeOptions): void {
  let isWatched = false;
  const replace = (error: unknown) => {
    const { message, stack } = report(error);
    log.say('fatal', { error: message, stack }, 'an error escaped the app: this worker is being replaced');
    void sendToMaster({ type: 'leaving', reason: 'crashed' });
    return exit.leave({ code: 1 });
  };
  const goOn = (error: unknown, code: DescriptorError) => {
    const { message, stack } = report(error);
    shortages.tell({ of: 'descriptors', where: 'app', code });
    log.say('error', { error: message, stack }, 'an error escaped for want of a file descriptor: this worker goes on');
    if (isWatched) return;
    isWatched = true;
    setTimeout(() => {
      isWatched = false;
      if (missingDescriptors(1) !== undefined) replace(error);
    }, leakMs).unref();
  };
  const onEscape = (error: unknown) => {
    const code = descriptorError(error);
    if (exit.worker !== undefined) return code === undefined ? replace(error) : goOn(error, code);
    const why = `app: an error escaped it while loading: ${report(error).message}`;
    return failBoot(code === undefined ? new AppLoadError(why, { cause: error }) : error);
  };
  process.on('uncaughtException', async (error, origin) => {
    if (exit.worker === undefined && (await isMainError(error, origin))) return;
    await onEscape(error);
  });
  process.on('unhandledRejection', onEscape);
}
