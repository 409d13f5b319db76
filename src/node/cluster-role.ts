/**
 * `node:cluster` in a thread of a worker, where Node takes it for the primary of a cluster of its own: a program that forks
 * in its primary would do so in each thread (`NODE_UNIQUE_ID`).
 */

import { createRequire } from 'node:module';

/** To be called before the app is loaded: `cluster.isPrimary` is false from now on. */
export function beClusterWorker(): void {
  const variable = 'NODE_UNIQUE_ID';
  const before = process.env[variable];
  process.env[variable] ??= '0';
  try {
    // The module looks at the variable once, when it is first loaded.
    createRequire(process.execPath)('node:cluster');
  } finally {
    // What the app starts is no worker of a cluster.
    if (before === undefined) delete process.env[variable];
  }
}
