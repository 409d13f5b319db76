/**
 * Status lines and fields of answers, as text. Apps give the same ones in most answers: to compare them costs less than to check
 * and join them. Whatever an app has changed in them makes other text.
 */

import { dateLine } from '../date.ts';

type Fields = readonly (readonly [name: string, value: string])[];

/** A status line and fields as text, and what they say of the framing. */
export class MadeLines {
  readonly hasDate: boolean;
  /** By the field; -1 without one. */
  readonly contentLength: number;
  /** Whether the app closes the connection. */
  readonly closes: boolean;
  private readonly status: string;
  private readonly isLenient: boolean;
  private readonly names: readonly string[];
  private readonly values: readonly string[];
  private text: string;
  private isFlat = false;
  private dated = '';
  private date = '';

  constructor(
    status: string,
    fields: Fields,
    isLenient: boolean,
    text: string,
    facts: { readonly hasDate: boolean; readonly contentLength: number; readonly closes: boolean },
  ) {
    this.status = status;
    this.isLenient = isLenient;
    this.names = fields.map(([name]) => name);
    this.values = fields.map(([, value]) => value);
    this.text = text;
    this.hasDate = facts.hasDate;
    this.contentLength = facts.contentLength;
    this.closes = facts.closes;
  }

  isOf(status: string, fields: Fields, isLenient: boolean): boolean {
    const { names, values } = this;
    const { length } = names;
    if (this.status !== status || fields.length !== length || this.isLenient !== isLenient) return false;
    for (let index = 0; index < length; index++) {
      const field = fields[index]!;
      if (field[0] !== names[index] || field[1] !== values[index]) return false;
    }
    return true;
  }

  plain(isDated: boolean): string {
    return isDated ? this.text + dateLine() : this.text;
  }

  /** The same text as one flat string, for lines that were found in the cache. */
  flat(isDated: boolean): string {
    if (!this.isFlat) this.text = flat(this.text);
    this.isFlat = true;
    if (!isDated) return this.text;
    const date = dateLine();
    if (date !== this.date) {
      this.date = date;
      this.dated = flat(this.text + date);
    }
    return this.dated;
  }
}

/** V8 keeps a joined text as its parts, and would walk through them with each answer. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

const places = 4;
/** Longer ones are made each time. */
const longestKept = 1024;

export class MadeLinesCache {
  private readonly kept: MadeLines[] = [];
  private next = 0;

  find(status: string, fields: Fields, isLenient: boolean): MadeLines | undefined {
    const { kept } = this;
    for (let index = 0; index < kept.length; index++) {
      const lines = kept[index]!;
      if (lines.isOf(status, fields, isLenient)) return lines;
    }
    return undefined;
  }

  keep(lines: MadeLines, length: number): void {
    if (length > longestKept) return;
    this.kept[this.next] = lines;
    this.next = (this.next + 1) % places;
  }
}

const lengthsKept = 1024;
const lengthEnds: (string | undefined)[] = new Array(lengthsKept).fill(undefined);

/** `Content-Length` and the end of the head; of short bodies, it becomes text once. */
export function lengthEnd(length: number): string {
  const known = lengthEnds[length];
  if (known !== undefined) return known;
  const text = flat(`Content-Length: ${length}\r\n\r\n`);
  if (length < lengthsKept) lengthEnds[length] = text;
  return text;
}
