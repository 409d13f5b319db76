/** The meta-variables of a request, as a program's environment (RFC 3875 §4.1). */

import { join } from 'node:path';
import type { Environ } from 'tsgun';
import type { Program } from './resolve.ts';

/**
 * Not passed on: HTTP_PROXY would be taken for the setting of that name (the "httpoxy" attack), credentials are the server's
 * (RFC 3875 §9.2), and the rest is of the connection.
 */
const withheld = [
  'HTTP_PROXY',
  'HTTP_AUTHORIZATION',
  'HTTP_PROXY_AUTHORIZATION',
  'HTTP_CONNECTION',
  'HTTP_KEEP_ALIVE',
  'HTTP_TRANSFER_ENCODING',
  'HTTP_TE',
  'HTTP_UPGRADE',
  'HTTP_EXPECT',
];

export function environmentOf(env: Environ, { file, scriptName, pathInfo }: Program, root: string): NodeJS.ProcessEnv {
  const variables: Record<string, string | undefined> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: 'tsgun',
    SERVER_NAME: env.SERVER_NAME,
    SERVER_PORT: env.SERVER_PORT,
    SERVER_PROTOCOL: env.SERVER_PROTOCOL,
    REQUEST_METHOD: env.REQUEST_METHOD,
    SCRIPT_NAME: env.SCRIPT_NAME + scriptName,
    PATH_INFO: pathInfo,
    QUERY_STRING: env.QUERY_STRING,
    REMOTE_ADDR: env.REMOTE_ADDR,
    REMOTE_HOST: env.REMOTE_ADDR,
    CONTENT_TYPE: env.CONTENT_TYPE,
    CONTENT_LENGTH: env.CONTENT_LENGTH,
    // Not of the RFC: what Apache adds, and programs have come to ask for.
    DOCUMENT_ROOT: root,
    SCRIPT_FILENAME: file,
    REQUEST_URI: fromBytes(env.RAW_URI),
    // For what programs start themselves, and nothing else of the server's own environment.
    PATH: process.env.PATH,
  };
  if (pathInfo !== '') variables.PATH_TRANSLATED = join(root, pathInfo);
  if (env['wsgi.url_scheme'] === 'https') variables.HTTPS = 'on';
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('HTTP_') && typeof value === 'string' && !withheld.includes(name))
      variables[name] = fromBytes(value);
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

/** An environ's bytes as latin1 become text; Node writes that as UTF-8 again. */
export function fromBytes(text: string): string {
  return Buffer.from(text, 'latin1').toString();
}
