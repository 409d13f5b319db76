/** Ends a worker when an error escapes the app, as Node would, but after its running requests. */

import { type DescriptorError, descriptorError } from '../../descriptors.ts';
import { AppLoadError, type ErrorReport, report } from '../../errors.ts';
import { sendToMaster } from '../../ipc/channel.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Logger } from '../../logger.ts';
import { isMainError } from '../../node/main-module.ts';
import { takeEvent } from '../../node/process-events.ts';
import type { Exit } from './exit.ts';
import { failSuspect } from './suspects.ts';

export interface EscapeOptions {
  readonly log: Logger;
  readonly exit: Exit;
  readonly shortages: Shortages;
  readonly failBoot: (error: unknown) => unknown;
}

/**
 * An escaped error leaves the app in an unknown state, so the worker is replaced after the requests that run. It is not
 * replaced if a descriptor was missing: the app is not the cause, and the next worker would have as few.
 */
export function watchForEscapedErrors({ log, exit, shortages, failBoot }: EscapeOptions): void {
  const replace = (error?: ErrorReport) => {
    void sendToMaster({ type: 'leaving', reason: 'crashed', ...(error === undefined ? {} : { error }) });
    return exit.leave({ code: 1 });
  };
  const failRequest = (error: unknown) => {
    const suspects = exit.worker?.suspects?.();
    if (suspects !== undefined) failSuspect(suspects, error);
  };
  const goOn = (error: unknown, code: DescriptorError) => {
    const { message, stack } = report(error);
    shortages.tell({ of: 'descriptors', where: 'app', code });
    log.say('error', { error: message, stack }, 'an error escaped for want of a file descriptor: this worker goes on');
    failRequest(error);
  };
  shortages.onLeak = () => {
    const message = 'the app leaks file descriptors, and none is left: this worker is being replaced';
    log.event('fatal', 'worker_recycled', { ...exit.name, reason: 'crashed' }, message);
    replace();
  };
  const onEscape = async (error: unknown, origin: string) => {
    if (exit.worker === undefined && (await isMainError(error, origin))) return;
    const code = descriptorError(error);
    if (exit.worker !== undefined && code !== undefined) return goOn(error, code);
    if (exit.worker !== undefined) {
      const { message, stack } = report(error);
      const fields = { ...exit.name, reason: 'crashed', error: message, stack };
      log.event('fatal', 'worker_recycled', fields, 'an error escaped the app: this worker is being replaced');
      failRequest(error);
      return replace(report(error));
    }
    const why = `app: an error escaped it while loading: ${report(error).message}`;
    return failBoot(code === undefined ? new AppLoadError(why, { cause: error }) : error);
  };
  // If the app listens for the error, the app deals with it, as under Node. Rejections come here too, unless the app or an
  // option says otherwise.
  takeEvent('uncaughtException', (error, origin) => {
    if (process.listenerCount('uncaughtException') > 0) return false;
    void onEscape(error, String(origin));
    return true;
  });
}
