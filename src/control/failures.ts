/** Why a command for a running instance fails, with its exit code. */

import { ConfigError } from '../errors.ts';

export const CommandExit = { done: 0, failed: 1, nobody: 2 } as const;
export type CommandExit = (typeof CommandExit)[keyof typeof CommandExit];

/** It was refused, or did not succeed. */
export class CommandError extends Error {}

/** There is no instance to speak to. */
export class NobodyThere extends Error {}

export function exitOf(error: unknown): CommandExit | undefined {
  if (error instanceof NobodyThere) return CommandExit.nobody;
  return error instanceof CommandError || error instanceof ConfigError ? CommandExit.failed : undefined;
}
