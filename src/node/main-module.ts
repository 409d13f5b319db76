/** The process's main module (`Module.runMain`). */

import Module from 'node:module';
import { internalsAreOff } from './switch.ts';

/** Runs the script that the command line names as this process's main module, as Node would have: `require.main` is it. */
export function runAsMain(): void {
  const { runMain } = Module as unknown as { runMain?: () => void };
  if (!internalsAreOff) runMain?.();
}
