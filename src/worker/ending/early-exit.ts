/**
 * Explains an app that ends its process while it is loaded: the master would see an exit without a reason, and the app's author
 * could not find the line.
 */

import { BootError, report } from '../../errors.ts';
import { sendToMaster } from '../../ipc/channel.ts';

/** @returns a function to call when the app is loaded, or has failed */
export function explainEarlyExit(): () => void {
  const onExit = (code: number) => {
    const cause = new Error(`process.exit(${code})`);
    // The caller of `process.exit` is still on the stack.
    Error.captureStackTrace(cause, process.exit);
    const message = `app: it ended its process with code ${code} while it was loaded: does it call process.exit()?`;
    // The message still leaves: a write to the channel is tried at once.
    void sendToMaster({ type: 'boot_failed', error: report(new BootError(message, { cause })) });
  };
  process.once('exit', onExit);
  return () => process.off('exit', onExit);
}
