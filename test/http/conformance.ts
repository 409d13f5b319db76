/**
 * The conformance cases: reads `conformance/*.http` (the format is in `conformance/README.md`) into bytes to send and
 * what must come back. Knows no parser and no socket, so that the same cases serve the parser, our server and others'.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { defaultLimits, type Limits } from '../../src/http/limits.ts';

/** What every server under test is set to; the cases at the limits count on it. */
export const conformanceLimits: Limits = { ...defaultLimits, bodyBytes: 1024 * 1024 };

export interface Case {
  /** `RFC 9112 §7.1` or the like: where the rule is found. */
  readonly section: string;
  /** What is observed, as a sentence. */
  readonly name: string;
  /** `file.http:12` */
  readonly place: string;
  readonly expected: Outcome;
  /** What the RFC would let another server do. */
  readonly alternatives: readonly Outcome[];
  /** What comes of it where a body is read whole before the app runs, if that is another outcome; no status: nothing does. */
  readonly ahead?: Outcome;
  /** The requests that the app must see, in order; undefined where they are not checked. */
  readonly sees: readonly Sighting[] | undefined;
  /** What is sent, in parts; between two parts the client waits for an interim answer. */
  readonly parts: readonly Buffer[];
  /** Whether the client closes its half after the last byte. */
  readonly halfCloses: boolean;
}

export interface Outcome {
  /** Interim statuses count only in cases that wait for one. */
  readonly statuses: readonly number[];
  readonly closes: boolean;
  /** Or the server neither answers further nor closes, as it waits for bytes that never come. */
  readonly mayWait?: boolean;
}

export interface Sighting {
  readonly method: string;
  readonly target: string;
  /** As latin1; undefined where it is not checked. */
  readonly body: string | undefined;
  /** By environ key; undefined for one that must be absent. */
  readonly environ: Readonly<Record<string, string | undefined>>;
}

const folder = new URL('conformance/', import.meta.url);

/** @throws Error that names the file and line of what cannot be read */
export function loadCases(): Case[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.http'))
    .sort();
  return files.flatMap((name) => parseCases(readFileSync(new URL(name, folder), 'utf8'), name));
}

type Draft = { -readonly [Key in keyof Case]: Case[Key] extends readonly (infer Item)[] ? Item[] : Case[Key] } & {
  sees: Sighting[] | undefined;
};

export function parseCases(text: string, file: string): Case[] {
  const cases: Draft[] = [];
  let sent = '';
  const endPart = () => {
    cases.at(-1)?.parts.push(Buffer.from(sent, 'latin1'));
    sent = '';
  };
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${file}:${index + 1}`;
    const [word = '', ...rest] = line.split(' ');
    const argument = rest.join(' ');
    if (line === '' || word === '#') continue;
    if (word === 'case') {
      endPart();
      cases.push(startCase(argument, place));
      continue;
    }
    const draft = cases.at(-1);
    if (draft === undefined) throw new Error(`${place}: before the first case: ${line}`);
    if (word === '>') sent += sentLine(argument, place);
    else if (word === 'await') endPart();
    else if (word === 'half-close') draft.halfCloses = true;
    else if (word === 'expect') draft.expected = readOutcome(argument, place);
    else if (word === 'or') draft.alternatives.push(readOutcome(argument, place));
    else if (word === 'ahead')
      draft.ahead = argument === 'nothing' ? { statuses: [], closes: false } : readOutcome(argument, place);
    else if (word === 'sees')
      draft.sees = [...(draft.sees ?? []), ...(argument === 'nothing' ? [] : [readSighting(argument, place)])];
    else if (word === 'env') readEnviron(draft.sees?.at(-1), argument, place);
    else throw new Error(`${place}: not a case, expect, or, ahead, sees, env, await, half-close, > or #: ${line}`);
  }
  endPart();
  for (const { place, expected, parts } of cases) {
    if (expected.mayWait === true) throw new Error(`${place}: tsgun never leaves a connection open without an answer`);
    if (expected.statuses.length === 0 && !expected.closes) throw new Error(`${place}: the case expects nothing`);
    if (parts.every((part) => part.length === 0)) throw new Error(`${place}: the case sends nothing`);
  }
  return cases;
}

function startCase(title: string, place: string): Draft {
  const [, section, name] = /^(RFC \d{4} §[\d.]+): (.+)$/.exec(title) ?? [];
  if (section === undefined || name === undefined) throw new Error(`${place}: not "case RFC nnnn §n: name": ${title}`);
  const expected = { statuses: [], closes: false };
  return { section, name, place, expected, alternatives: [], sees: undefined, parts: [], halfCloses: false };
}

function readOutcome(text: string, place: string): Outcome {
  const words = text.split(' ');
  const end = words.at(-1);
  const mayWait = end === 'open';
  const closes = end === 'close' || mayWait;
  if (closes) words.pop();
  const statuses = words.flatMap((word) => {
    const [, status, count = '1'] = /^(\d{3})(?:\*(\d+))?$/.exec(word) ?? [];
    if (status === undefined) throw new Error(`${place}: not statuses, then perhaps close or open: ${text}`);
    return new Array<number>(Number(count)).fill(Number(status));
  });
  return mayWait ? { statuses, closes, mayWait } : { statuses, closes };
}

function readSighting(text: string, place: string): Sighting {
  const [, method, target, body] = /^(\S+) (\S+)(?: "(.*)")?$/.exec(text) ?? [];
  if (method === undefined || target === undefined) throw new Error(`${place}: not METHOD target "body": ${text}`);
  return {
    method,
    target: decodeEscapes(target, place),
    body: body === undefined ? body : decodeEscapes(body, place),
    environ: {},
  };
}

function readEnviron(sighting: Sighting | undefined, text: string, place: string): void {
  const [, key, value] = /^(\w+) (?:none|"(.*)")$/.exec(text) ?? [];
  if (sighting === undefined || key === undefined) throw new Error(`${place}: not KEY "value" after sees: ${text}`);
  Object.assign(sighting.environ, { [key]: value === undefined ? undefined : decodeEscapes(value, place) });
}

/** A line is sent with a CRLF, unless a backslash ends it. */
function sentLine(text: string, place: string): string {
  const [, backslashes = ''] = /(\\*)$/.exec(text) ?? [];
  return backslashes.length % 2 === 1 ? decodeEscapes(text.slice(0, -1), place) : `${decodeEscapes(text, place)}\r\n`;
}

const escapes: Readonly<Record<string, string>> = {
  r: '\r',
  n: '\n',
  t: '\t',
  v: '\v',
  f: '\f',
  s: ' ',
  '"': '"',
  '\\': '\\',
};

/** `\n` and the like, `\xHH`, and `\{text*count}` for a long repetition. */
function decodeEscapes(text: string, place: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|\{((?:\\.|[^\\])+?)\*(\d+)\}|(.?))/g,
    (whole, hex, repeated, count, name) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (repeated !== undefined) return decodeEscapes(repeated, place).repeat(Number(count));
      const escaped = escapes[name];
      if (escaped === undefined) throw new Error(`${place}: not an escape: ${whole}`);
      return escaped;
    },
  );
}

/**
 * The same case for a server that closes after one answer: of what is sent, only the first request is served, and whatever
 * follows it is not even looked at. All else stays as it is.
 */
export function asOnePerConnection(each: Case): Case {
  const first = ({ statuses }: Outcome): Outcome => {
    const end = statuses.findIndex((status) => status >= 200) + 1;
    return { statuses: statuses.slice(0, end), closes: true };
  };
  return {
    ...each,
    expected: first(each.expected),
    alternatives: each.alternatives.map(first),
    sees: each.sees?.slice(0, 1),
  };
}

/** The cases of each section, for tests that are named by it. */
export function bySection(cases: readonly Case[]): [section: string, cases: Case[]][] {
  const sections = new Map<string, Case[]>();
  for (const each of cases) {
    const before = sections.get(each.section);
    if (before === undefined) sections.set(each.section, [each]);
    else before.push(each);
  }
  return [...sections];
}
