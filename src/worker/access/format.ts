/** Compiles a format to a function that writes the line of an entry, line feed included. */

import { combinedFormat, type FormatPart, readFormat } from '../../config/access-atoms.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { type Entry, methodOf, type Origin, pathOf, protocolOf, requestField, responseField } from './entry.ts';
import { escapeLiteral, escapeText } from './escape.ts';
import { jsonFormat } from './json.ts';
import { commonTime } from './time.ts';

export type Line = (entry: Entry) => string;

/** @param format one that the settings have accepted */
export function compileFormat(
  format: string,
  origin: Origin,
  fields: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Line {
  if (format === 'json') return jsonFormat(origin, fields, (field) => textOf(field, origin, env));
  const parts = readFormat(format === 'combined' ? combinedFormat : format);
  const writers = parts.map((part) => writerOf(part, origin, env));
  return (entry) => {
    let line = '';
    for (let index = 0; index < writers.length; index++) line += writers[index]!(entry);
    return `${line}\n`;
  };
}

function writerOf(part: FormatPart, origin: Origin, env: NodeJS.ProcessEnv): Line {
  if ('text' in part) {
    const text = escapeLiteral(part.text);
    return () => text;
  }
  if ('atom' in part) return part.atom === 'p' ? () => `<${origin.pid}>` : atoms[part.atom]!;
  const text = textOf(part, origin, env);
  return (entry) => shown(text(entry));
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

function shown(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : escapeText(text);
}

const atoms: Readonly<Record<string, Line>> = {
  h: ({ ends }) => shown(ends.remote.address),
  l: () => '-',
  u: (entry) => shown(userOf(entry)),
  t: () => commonTime(),
  r: requestLine,
  m: (entry) => shown(methodOf(entry)),
  U: (entry) => shown(pathOf(entry)),
  q: ({ head }) => (head === undefined ? '' : escapeText(head.query)),
  H: protocolOf,
  s: ({ status }) => (status === undefined ? '-' : String(status)),
  B: ({ sentBytes }) => String(sentBytes),
  b: ({ sentBytes }) => (sentBytes === 0 ? '-' : String(sentBytes)),
  f: (entry) => shown(requestField(entry, 'referer')),
  a: (entry) => shown(requestField(entry, 'user-agent')),
  T: ({ durationMs }) => String(Math.floor(durationMs / 1000)),
  M: ({ durationMs }) => String(Math.floor(durationMs)),
  D: ({ durationMs }) => String(Math.floor(durationMs * 1000)),
  L: ({ durationMs }) => (durationMs / 1000).toFixed(6),
};

function requestLine(entry: Entry): string {
  const { head } = entry;
  if (head === undefined) return `TCP ${shown(pathOf(entry))}`;
  // The request line could not be parsed.
  if (head.method === '') return '-';
  return `${escapeText(head.method)} ${escapeText(head.target)} ${protocolOf(entry)}`;
}

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
