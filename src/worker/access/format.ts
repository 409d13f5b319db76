/** Compiles a format to a function that writes the line of an entry, line feed included. */

import { combinedFormat, type FormatPart, readFormat } from '../../config/values/access-atoms.ts';
import { requestIdOf } from '../../http/request-id.ts';
import {
  type Entry,
  methodOf,
  type Origin,
  pathOf,
  protocolOf,
  requestField,
  responseField,
  type Writer,
} from './entry.ts';
import { escapeLiteral, escapeText } from './escape.ts';
import { jsonFormat } from './json.ts';
import type { Lines } from './lines.ts';
import { bytesOf, Remembered } from './remembered.ts';
import { commonTime, timeOfDay } from './time.ts';

const lineFeed = 0x0a;

/** @param format one that the settings have accepted */
export function compileFormat(
  format: string,
  origin: Origin,
  fields: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Writer {
  if (format === 'json') return jsonFormat(origin, fields, (field) => textOf(field, origin, env));
  const { steps, end } = stepsOf(readFormat(format === 'combined' ? combinedFormat : format), origin, env);
  return (entry, lines) => {
    for (let index = 0; index < steps.length; index++) {
      const { before, write } = steps[index]!;
      lines.piece(before);
      write(entry, lines);
    }
    lines.piece(end);
    lines.byte(lineFeed);
  };
}

/** An atom, and the text ahead of it: what is the same in every line is one piece with that. */
interface Step {
  readonly before: Uint8Array;
  readonly write: Writer;
}

function stepsOf(parts: readonly FormatPart[], origin: Origin, env: NodeJS.ProcessEnv) {
  const steps: Step[] = [];
  let text = '';
  for (const part of parts) {
    const constant = constantOf(part, origin);
    text += constant ?? '';
    if (constant !== undefined) continue;
    steps.push({ before: bytesOf(text), write: writerOf(part, origin, env) });
    text = '';
  }
  return { steps, end: bytesOf(text) };
}

function constantOf(part: FormatPart, { pid }: Origin): string | undefined {
  if ('text' in part) return escapeLiteral(part.text);
  if (!('atom' in part)) return undefined;
  return part.atom === 'l' ? '-' : part.atom === 'p' ? `<${pid}>` : undefined;
}

function writerOf(part: FormatPart, origin: Origin, env: NodeJS.ProcessEnv): Writer {
  if ('atom' in part) return atoms[part.atom]!;
  if ('text' in part) return () => {};
  const text = textOf(part, origin, env);
  return (entry, lines) => show(text(entry), lines);
}

type Text = (entry: Entry) => string | undefined;

function textOf(
  { source, name }: Extract<FormatPart, { source: string }>,
  origin: Origin,
  env: NodeJS.ProcessEnv,
): Text {
  if (source === 'i') return (entry) => requestField(entry, name);
  if (source === 'o') return (entry) => responseField(entry, name);
  return variable(name, origin, env);
}

function show(text: string | undefined, lines: Lines): void {
  if (text === undefined || text === '') lines.byte(hyphen);
  else lines.escaped(text, escapeText);
}

/** As `show`, of what many requests have in common. */
function showing(text: Text): Writer {
  const remembered = new Remembered(escapeText);
  return (entry, lines) => {
    const value = text(entry);
    if (value === undefined || value === '') lines.byte(hyphen);
    else remembered.write(value, lines);
  };
}

const hyphen = 0x2d;
const space = 0x20;

const atoms: Readonly<Record<string, Writer>> = {
  h: showing(({ ends }) => ends.remote.address),
  u: (entry, lines) => show(userOf(entry), lines),
  t: ({ endedAt }, lines) => lines.piece(commonTime(timeOfDay(endedAt))),
  r: requestLine,
  m: (entry, lines) => show(methodOf(entry), lines),
  U: (entry, lines) => show(pathOf(entry), lines),
  q: ({ head }, lines) => head !== undefined && lines.escaped(head.query, escapeText),
  H: (entry, lines) => lines.ascii(protocolOf(entry)),
  s: ({ status }, lines) => (status === undefined ? lines.byte(hyphen) : lines.integer(status)),
  B: ({ sentBytes }, lines) => lines.integer(sentBytes),
  b: ({ sentBytes }, lines) => (sentBytes === 0 ? lines.byte(hyphen) : lines.integer(sentBytes)),
  f: showing((entry) => requestField(entry, 'referer')),
  a: showing((entry) => requestField(entry, 'user-agent')),
  T: ({ durationMs }, lines) => lines.integer(Math.floor(durationMs / 1000)),
  M: ({ durationMs }, lines) => lines.integer(Math.floor(durationMs)),
  D: ({ durationMs }, lines) => lines.integer(Math.floor(durationMs * 1000)),
  L: ({ durationMs }, lines) => lines.ascii((durationMs / 1000).toFixed(6)),
};

function requestLine(entry: Entry, lines: Lines): void {
  const { head } = entry;
  if (head === undefined) {
    lines.ascii('TCP ');
    return show(pathOf(entry), lines);
  }
  // The request line could not be parsed.
  if (head.method === '') return lines.byte(hyphen);
  lines.escaped(head.method, escapeText);
  lines.byte(space);
  lines.escaped(head.target, escapeText);
  lines.ascii(protocols[head.version]);
}

const protocols = { '1.0': ' HTTP/1.0', '1.1': ' HTTP/1.1', '2.0': ' HTTP/2.0' } as const;

const basicForm = /^basic +([A-Za-z0-9+/=_-]+)$/i;

/** The user of basic authentication (RFC 7617), whether or not the app accepted it. */
function userOf(entry: Entry): string | undefined {
  const credentials = basicForm.exec(requestField(entry, 'authorization') ?? '')?.[1];
  if (credentials === undefined) return undefined;
  const text = Buffer.from(credentials, 'base64').toString('latin1');
  const end = text.indexOf(':');
  return end === -1 ? undefined : text.slice(0, end);
}

/** Keys of a wsgi environ that describe the request. */
const environ: Readonly<Record<string, (entry: Entry) => string | undefined>> = {
  request_method: methodOf,
  path_info: pathOf,
  query_string: ({ head }) => head?.query,
  server_name: ({ ends }) => ends.local.address,
  server_port: ({ ends }) => ends.local.port,
  server_protocol: protocolOf,
  remote_addr: ({ ends }) => ends.remote.address,
  remote_port: ({ ends }) => ends.remote.port,
  raw_uri: ({ head }) => head?.target,
  'wsgi.url_scheme': ({ ends }) => ends.scheme,
  content_type: (entry) => requestField(entry, 'content-type'),
  content_length: (entry) => requestField(entry, 'content-length'),
};

/** Keys that no app's environ has, because they are known at the end of the request. */
const costs: Readonly<Record<string, (entry: Entry) => number | undefined>> = {
  'tsgun.cpums': ({ cpuMs }) => cpuMs,
  'tsgun.queuems': ({ queueMs }) => queueMs,
  'tsgun.receivedbytes': ({ receivedBytes }) => receivedBytes,
};

/** gunicorn reads the app's environ here. Where that has no such name, a variable of the process is taken. */
function variable(name: string, { requestIdHeader }: Origin, env: NodeJS.ProcessEnv): Text {
  if (Object.hasOwn(environ, name)) return environ[name]!;
  if (Object.hasOwn(costs, name)) {
    const cost = costs[name]!;
    return (entry) => {
      const value = cost(entry);
      return value === undefined ? undefined : String(Math.round(value * 1000) / 1000);
    };
  }
  if (name === 'tsgun.requestid')
    return ({ head }) => (head === undefined ? undefined : requestIdOf(head, requestIdHeader));
  if (name.startsWith('http_')) {
    const field = name.slice('http_'.length).replaceAll('_', '-');
    return (entry) => requestField(entry, field);
  }
  const key = Object.keys(env).find((each) => each.toLowerCase() === name);
  const text = key === undefined ? undefined : Buffer.from(env[key]!).toString('latin1');
  return () => text;
}
