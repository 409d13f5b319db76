/** A request's id: the client's or a proxy's, or else one made here. It connects the lines of all logs about one request. */

import { closeSync, openSync, readSync } from 'node:fs';
import { cryptoModule } from '../node/builtin.ts';
import type { RequestHead } from './head.ts';

/** An id goes into every log line of its request: longer ones, and those of other characters, are replaced. */
const idForm = /^[\x21-\x7e]{1,128}$/;

/** The last two places of a number, and how many there are. */
const lastPlaces = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'));

let prefix = '';
/** The beginning of the next ids; the end is the next of `lastPlaces`. */
let beginning = '';
let beginnings = 0;
let next = lastPlaces.length;

/** @param fieldName the field with the id, in lower case. @returns always the same id for the same head */
export function requestIdOf(head: RequestHead, fieldName: string): string {
  head.requestId ??= givenId(head, fieldName) ?? makeId();
  return head.requestId;
}

function givenId({ names, values }: RequestHead, fieldName: string): string | undefined {
  for (let index = 0; index < names.length; index++)
    if (names[index]!.lower === fieldName) return idForm.test(values[index]!) ? values[index] : undefined;
  return undefined;
}

/**
 * Unique by the process' random part; a random number for each request would cost more than the rest of its line. So would
 * the text of each request's number: V8 remembers such texts until it collects all garbage, so that 32 bytes of each request
 * outlive it and are copied.
 */
function makeId(): string {
  if (next === lastPlaces.length) begin();
  return beginning + lastPlaces[next++]!;
}

function begin(): void {
  if (prefix === '') prefix = `${randomBytes(9).toString('hex')}-`;
  beginning = prefix + (beginnings++).toString(16);
  next = 0;
}

/** From the system. `node:crypto`, which few workers need otherwise, takes a megabyte. */
function randomBytes(count: number): Buffer {
  try {
    const bytes = Buffer.alloc(count);
    const fd = openSync('/dev/urandom', 'r');
    try {
      if (readSync(fd, bytes) === count) return bytes;
    } finally {
      closeSync(fd);
    }
  } catch {
    // No descriptor is free, or there is no such file.
  }
  return cryptoModule().randomBytes(count);
}
