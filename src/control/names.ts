/** The names of the commands for a running instance. They are known before anything else is loaded. */

import { statSync } from 'node:fs';

export const commandNames = [
  'status',
  'workers',
  'requests',
  'top',
  'reload',
  'stop',
  'scale',
  'stacks',
  'profile',
  'heap',
  'log-level',
] as const;
export type CommandName = (typeof commandNames)[number];

/** The command that the first word is; a file of that name is an app. */
export function commandIn([word = '']: readonly string[]): CommandName | undefined {
  const name = commandNames.find((each) => each === word);
  return name === undefined || statSync(word, { throwIfNoEntry: false })?.isFile() ? undefined : name;
}
