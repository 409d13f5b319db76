/**
 * An app that ends its process while it is loaded. The master would see an exit, and no reason; the app's author would not
 * find the line.
 */

import { BootError, report } from '../errors.ts';
import { sendToMaster } from '../ipc/channel.ts';

/** @returns to be called when the app is loaded, or has failed */
export function explainEarlyExit(): () => void {
  const onExit = (code: number) => {
    const cause = new Error(`process.exit(${code})`);
    // Its caller is still on the stack.
    Error.captureStackTrace(cause, process.exit);
    const message = `app: it ended its process with code ${code} while it was loaded: does it call process.exit()?`;
    // What is sent now still leaves: a write to the channel is tried at once.
    void sendToMaster({ type: 'boot_failed', error: report(new BootError(message, { cause })) });
  };
  process.once('exit', onExit);
  return () => process.off('exit', onExit);
}
