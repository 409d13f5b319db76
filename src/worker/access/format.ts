/** Makes a function of a format, once: it writes the line of an entry, which ends with a line feed. */

import { combinedFormat, type FormatPart, readFormat } from '../../config/access-atoms.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { type Entry, methodOf, type Origin, pathOf, protocolOf, requestField, responseField } from './entry.ts';
import { escapeLiteral, escapeText } from './escape.ts';
import { jsonFormat } from './json.ts';
import { commonTime } from './time.ts';

export type Line = (entry: Entry) => string;

/** @param format one that the settings have accepted */
export function compileFormat(format: string, origin: Origin, env: NodeJS.ProcessEnv = process.env): Line {
  if (format === 'json') return jsonFormat(origin);
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
  const { source, name } = part;
  if (source === 'i') return (entry) => shown(requestField(entry, name));
  if (source === 'o') return (entry) => shown(responseField(entry, name));
  return variableWriter(name, origin, env);
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
  // What could not be read as a request line.
  if (head.method === '') return '-';
  return `${escapeText(head.method)} ${escapeText(head.target)} ${protocolOf(entry)}`;
}

const basicForm = /^basic +([A-Za-z0-9+/=_-]+)$/i;

/** Of basic authentication (RFC 7617). The app may have refused it. */
function userOf(entry: Entry): string | undefined {
  const credentials = basicForm.exec(requestField(entry, 'authorization') ?? '')?.[1];
  if (credentials === undefined) return undefined;
  const text = Buffer.from(credentials, 'base64').toString('latin1');
  const end = text.indexOf(':');
  return end === -1 ? undefined : text.slice(0, end);
}

/** The keys of a wsgi environ that say something of the request. */
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

/** gunicorn means the environ; a variable of the process is taken where the environ has none of that name. */
function variableWriter(name: string, { requestIdHeader }: Origin, env: NodeJS.ProcessEnv): Line {
  const known = Object.hasOwn(environ, name) ? environ[name] : undefined;
  if (known !== undefined) return (entry) => shown(known(entry));
  if (name === 'tsgun.requestid')
    return ({ head }) => (head === undefined ? '-' : shown(requestIdOf(head, requestIdHeader)));
  if (name.startsWith('http_')) {
    const field = name.slice('http_'.length).replaceAll('_', '-');
    return (entry) => shown(requestField(entry, field));
  }
  const key = Object.keys(env).find((each) => each.toLowerCase() === name);
  const text = shown(key === undefined ? undefined : Buffer.from(env[key]!).toString('latin1'));
  return () => text;
}
