/** A request's id: what a client or a proxy has called it, else one that is made here. It ties the lines of all logs. */

import { cryptoModule } from '../node/builtin.ts';
import type { RequestHead } from './head.ts';

/** An id goes into every log line of its request: longer ones, and those of other characters, are replaced. */
const idForm = /^[\x21-\x7e]{1,128}$/;

let prefix = '';
let count = 0;

/** @param fieldName whose value it is, in small letters. Always the same id for the same head */
export function requestIdOf(head: RequestHead, fieldName: string): string {
  head.requestId ??= givenId(head, fieldName) ?? makeId();
  return head.requestId;
}

function givenId({ names, values }: RequestHead, fieldName: string): string | undefined {
  for (let index = 0; index < names.length; index++)
    if (names[index]!.lower === fieldName) return idForm.test(values[index]!) ? values[index] : undefined;
  return undefined;
}

/** Unique by the process' random part; a random number for each request would cost more than the rest of its line. */
function makeId(): string {
  if (prefix === '') prefix = `${cryptoModule().randomBytes(9).toString('hex')}-`;
  return prefix + ++count;
}
