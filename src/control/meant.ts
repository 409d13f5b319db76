/** Which command a word was meant to be. Asked when tsgun has failed: a word that names an app's file was meant as that. */

import { createRequire } from 'node:module';
import { nearest } from '../config/names/suggest.ts';
import { commandNames } from './names.ts';

export function meant([word = '']: readonly string[]): string | undefined {
  if (!/^[a-z][a-z-]*$/i.test(word) || isFile(word)) return undefined;
  const name = nearest(word, commandNames);
  return name === undefined ? undefined : `tsgun: did you mean the command "tsgun ${name}"?\n`;
}

/** As the app is found: `shop` may be `shop.js`. */
function isFile(word: string): boolean {
  try {
    createRequire(`${process.cwd()}/`).resolve(`./${word}`);
    return true;
  } catch {
    return false;
  }
}
