/** The built files that processes and threads start from. The URLs hold in dist, where this file lies as deep as in src. */

import { ConfigError } from '../errors.ts';

/** The advice to a user who has bundled tsgun with a script. */
export const keepExternal =
  'Keep tsgun external (esbuild --external:tsgun; external: ["tsgun"] in Rollup, Rolldown and Vite), and install it beside';

/** Undefined where a bundler has made CommonJS of this module. */
const here: string | undefined = import.meta.url;
if (here === undefined)
  throw new ConfigError(
    `tsgun: its own files cannot be found, as it was bundled into a CommonJS file. ${keepExternal}`,
  );

export const workerEntry = new URL('../worker/main.js', here);
export const threadEntry = new URL('../worker/threads/inside/thread.cjs', here);
export const watchdogEntry = new URL('../worker/watchdog/thread.cjs', here);
