/** Which command a word was meant to be, if it is none and the start failed for that. */

import { nearest } from '../config/names/suggest.ts';
import { commandNames } from './names.ts';

export function meant([word = '']: readonly string[]): string | undefined {
  if (!/^[a-z][a-z-]*$/i.test(word)) return undefined;
  const name = nearest(word, commandNames);
  return name === undefined ? undefined : `tsgun: did you mean the command "tsgun ${name}"?\n`;
}
