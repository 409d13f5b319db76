/**
 * The files under $STATIC_ROOT, or under the html folder beside this file, with what a browser's cache and a download
 * manager ask for: validators, ranges, and precompressed siblings (`style.css.br` beside `style.css`).
 *
 * `static/open.ts` finds a file, and sees to it that nothing else is found; `static/select.ts` decides which part of it is
 * asked for; `static/body.ts` reads it; this file says it in HTTP.
 */

import { realpathSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import etag from 'etag';
import { lookup } from 'mrmime';
import Negotiator from 'negotiator';
import type { App, Body, Environ, Header, StartResponse } from 'tsgun';
import { byteLength, fileBody, multipart, type Part } from './static/body.ts';
import { decodePath, type OpenFile, openInside } from './static/open.ts';
import { select, type Version } from './static/select.ts';

/** An app that serves the files of a directory. */
export function serveFiles(directory: string): App {
  const root = realpathSync.native(directory);
  return async (env, startResponse) => {
    if (env.REQUEST_METHOD !== 'GET' && env.REQUEST_METHOD !== 'HEAD') {
      startResponse('405 Method Not Allowed', [['Allow', 'GET, HEAD'], plainText]);
      return [`error: ${env.REQUEST_METHOD} is not allowed here\n`];
    }
    const path = decodePath(env.PATH_INFO);
    const found = path === undefined ? undefined : await find(root, path, env.HTTP_ACCEPT_ENCODING);
    if (found === undefined) return sendNotFound(root, env, startResponse);
    if (found.stats.isDirectory()) return redirect(found, env, startResponse);
    return sendFile(found, env, startResponse);
  };
}

export default serveFiles(process.env.STATIC_ROOT || fileURLToPath(new URL('html', import.meta.url)));

const plainText: Header = ['Content-Type', 'text/plain; charset=utf-8'];

// Which file.

interface FoundFile extends OpenFile {
  readonly type: string;
  /** `identity` for the file itself. */
  readonly encoding: string;
}

const suffixes: Record<string, string> = { br: '.br', gzip: '.gz', identity: '' };

/** Of a file and its precompressed siblings, the best that the client takes. */
async function find(root: string, path: string, accepted = ''): Promise<FoundFile | undefined> {
  const isIndex = path.endsWith('/');
  const filePath = isIndex ? `${path}index.html` : path;
  const type = typeOf(filePath);
  for (const encoding of isCompressible(type) ? encodings(accepted) : ['identity']) {
    const file = await openInside(root, filePath + suffixes[encoding]);
    if (file === undefined) continue;
    if (file.stats.isFile() || (encoding === 'identity' && !isIndex)) return { ...file, type, encoding };
    await file.handle.close();
  }
  return undefined;
}

/** The codings that the client accepts, smallest first. If it accepts none, it gets the file as it is (RFC 9110 §12.5.3). */
function encodings(accepted: string): string[] {
  const taken = new Negotiator({ headers: { 'accept-encoding': accepted } }).encodings(['br', 'gzip']);
  return [...['br', 'gzip'].filter((encoding) => taken.includes(encoding)), 'identity'];
}

function typeOf(path: string): string {
  const type = lookup(extname(path)) ?? 'application/octet-stream';
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

function isCompressible(type: string): boolean {
  return /^text\/|[/+](?:json|xml|javascript|wasm)$/.test(type);
}

/** As strong as nginx makes it: two versions of one size within a millisecond have the same. */
function versionOf({ stats, encoding }: FoundFile): Version {
  const tag = etag(stats, { weak: false });
  return {
    etag: encoding === 'identity' ? tag : tag.replace(/"$/, `-${encoding}"`),
    lastModified: stats.mtime.toUTCString(),
  };
}

// What is said of it.

async function sendFile(file: FoundFile, env: Environ, startResponse: StartResponse): Promise<Body> {
  const { type, encoding, stats, handle } = file;
  const { size } = stats;
  const version = versionOf(file);
  const headers: Header[] = [
    ['ETag', version.etag],
    ['Last-Modified', version.lastModified],
    ['Cache-Control', 'no-cache'],
    ['Accept-Ranges', 'bytes'],
    ['X-Content-Type-Options', 'nosniff'],
  ];
  if (isCompressible(type)) headers.push(['Vary', 'Accept-Encoding']);

  const send = (status: string, more: readonly Header[], parts: readonly Part[]) => {
    startResponse(status, [...headers, ...more, ['Content-Length', String(byteLength(parts))]]);
    return fileBody(handle, env.REQUEST_METHOD === 'HEAD' ? [] : parts);
  };
  const selection = select(env, version, size);
  if (selection === 'precondition failed')
    return send('412 Precondition Failed', [plainText], ['error: the file is another version\n']);
  if (selection === 'unsatisfiable') {
    const message = `error: the file has ${size} bytes\n`;
    return send('416 Range Not Satisfiable', [plainText, ['Content-Range', `bytes */${size}`]], [message]);
  }
  if (selection === 'not modified') {
    startResponse('304 Not Modified', headers);
    return fileBody(handle, []);
  }
  if (encoding !== 'identity') headers.push(['Content-Encoding', encoding]);
  if (selection === 'whole') return send('200 OK', [['Content-Type', type]], [{ start: 0, end: size - 1 }]);
  const [range] = selection;
  if (selection.length === 1 && range !== undefined) {
    const place: Header = ['Content-Range', `bytes ${range.start}-${range.end}/${size}`];
    return send('206 Partial Content', [['Content-Type', type], place], [range]);
  }
  const several = multipart(selection, type, size);
  return send('206 Partial Content', [['Content-Type', several.type]], several.parts);
}

/** With the root's own page, if it has one. */
async function sendNotFound(root: string, env: Environ, startResponse: StartResponse): Promise<Body> {
  const page = await find(root, '/404.html');
  if (page?.stats.isFile() !== true) {
    await page?.handle.close();
    startResponse('404 Not Found', [plainText]);
    return ['error: there is no such file\n'];
  }
  const whole = [{ start: 0, end: page.stats.size - 1 }];
  startResponse('404 Not Found', [
    ['Content-Type', page.type],
    ['Content-Length', String(page.stats.size)],
  ]);
  return fileBody(page.handle, env.REQUEST_METHOD === 'HEAD' ? [] : whole);
}

/**
 * To a directory with its slash: without it, the relative links of its page would lead beside it. The address is relative
 * too, so that it holds wherever the app is mounted, and never names another host.
 */
async function redirect(directory: FoundFile, env: Environ, startResponse: StartResponse): Promise<Body> {
  await directory.handle.close();
  const name = basename(Buffer.from(env.SCRIPT_NAME + env.PATH_INFO, 'latin1').toString());
  const query = env.QUERY_STRING === '' ? '' : `?${env.QUERY_STRING}`;
  startResponse('301 Moved Permanently', [['Location', `${encodeURIComponent(name)}/${query}`], plainText]);
  return ['This is a directory: its address ends with a slash.\n'];
}
