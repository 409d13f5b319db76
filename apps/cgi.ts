/**
 * Runs a CGI program for each request (RFC 3875), the way it all began: the files under `$CGI_ROOT` (default `apps/cgi-bin`)
 * that may be executed. `/hello.sh/and/more?q=1` runs `hello.sh`. A program lives no longer than its client waits.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { pipeline, Readable, type Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { App, Body, Environ, Header, StartResponse } from 'tsgun';
import { environmentOf, fromBytes } from './cgi/environment.ts';
import { BadAnswer, parseHeader, readHeader } from './cgi/header.ts';
import { type Program, resolveProgram } from './cgi/resolve.ts';

const root = resolve(process.env.CGI_ROOT ?? fileURLToPath(new URL('cgi-bin', import.meta.url)));
/** Local redirects after one another; more are a loop. */
const mostRedirects = 5;
/** How much of a request's stderr is logged; the rest is read and dropped, so that the program does not block. */
const mostErrorBytes = 64 * 1024;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Running programs: they must not outlive this process. */
const running = new Set<Child>();
process.once('exit', () => {
  for (const child of running) kill(child);
});

const app: App = async (env, startResponse) => {
  // A program needs CONTENT_LENGTH, and the length of a chunked body is known only at its end.
  if (env.HTTP_TRANSFER_ENCODING !== undefined) return refuse(startResponse, '411 Length Required');
  let request = env;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const program = await resolveProgram(root, fromBytes(request.PATH_INFO));
    if (program === undefined) return refuse(startResponse, '404 Not Found');
    if (program === 'forbidden') return refuse(startResponse, '403 Forbidden');
    const answer = await runProgram(program, request, startResponse);
    if (typeof answer !== 'string') return answer;
    request = redirected(request, answer);
  }
  complain(env, env.PATH_INFO, `more than ${mostRedirects} local redirects`);
  return refuse(startResponse, '502 Bad Gateway');
};

export default app;

/** @returns the body, or the path of a local redirect */
async function runProgram(program: Program, env: Environ, startResponse: StartResponse): Promise<Body | string> {
  const signal = env['tsgun.signal'];
  const child = start(program, env);
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  exited.catch(() => {});
  const stop = () => kill(child);
  signal.addEventListener('abort', stop);
  const release = () => {
    signal.removeEventListener('abort', stop);
    stop();
  };
  try {
    const output: AsyncIterator<Buffer> = child.stdout[Symbol.asyncIterator]();
    const { lines, rest } = await readHeader(output);
    const { status, headers, localRedirect } = parseHeader(lines);
    if (localRedirect !== undefined) {
      release();
      return localRedirect;
    }
    startResponse(status, headers);
    const warn = (message: string) => complain(env, program.scriptName, message);
    return { [Symbol.asyncIterator]: () => pieces({ rest, output, exited, headers, warn }), close: release };
  } catch (error) {
    release();
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof Error)) throw error;
    complain(env, program.scriptName, error.message);
    return refuse(startResponse, error instanceof BadAnswer ? '502 Bad Gateway' : '500 Internal Server Error');
  }
}

function start({ file, ...program }: Program, env: Environ): Child {
  const child = spawn(file, {
    cwd: dirname(file),
    env: environmentOf(env, { file, ...program }, root),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own, which ends as a whole.
    detached: true,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', (error) => {
    running.delete(child);
    child.stdout.destroy(error);
  });
  // A program need not read its input.
  pipeline(env['wsgi.input'], child.stdin, () => {});
  let left = mostErrorBytes;
  child.stderr.on('data', (bytes: Buffer) => {
    if (left > 0) env['wsgi.errors'].write(bytes.subarray(0, left));
    left -= bytes.length;
  });
  child.stderr.on('end', () => left < mostErrorBytes && env['wsgi.errors'].write('\n'));
  return child;
}

interface Output {
  /** The part of the body that came with the header. */
  readonly rest: Buffer;
  readonly output: AsyncIterator<Buffer>;
  readonly exited: Promise<[code: number | null, signal: string | null]>;
  readonly headers: readonly Header[];
  readonly warn: (message: string) => void;
}

async function* pieces({ rest, output, exited, headers, warn }: Output): AsyncGenerator<Uint8Array> {
  let sent = rest.length;
  if (rest.length > 0) yield rest;
  for (;;) {
    const { done, value } = await output.next();
    if (done) break;
    sent += value.length;
    yield value;
  }
  const [code, signal] = await exited;
  if (code === 0) return;
  const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  // A program that was killed may have had more to say: cut the answer, so that the client sees it.
  if (signal !== null && String(sent) !== length)
    throw new BadAnswer(`the program was killed within its answer (${signal})`);
  // RFC 3875 has no meaning for the code. AWStats ends with 1, and a shell script with that of its last command.
  warn(`it exited with ${signal ?? `code ${code}`} after its answer`);
}

/** A request for another path, without a body (RFC 3875 §6.2.2). */
function redirected(env: Environ, location: string): Environ {
  const [path = '', query = ''] = location.split('?', 2);
  const decoded = path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const { CONTENT_LENGTH: _length, CONTENT_TYPE: _type, ...rest } = env;
  const method = env.REQUEST_METHOD === 'HEAD' ? 'HEAD' : 'GET';
  const input = Readable.from([]);
  return { ...rest, 'wsgi.input': input, REQUEST_METHOD: method, PATH_INFO: decoded, QUERY_STRING: query } as Environ;
}

function refuse(startResponse: StartResponse, status: string): Body {
  startResponse(status, [['Content-Type', 'text/plain']]);
  return [`${status}\n`];
}

function complain(env: Environ, name: string, message: string): void {
  env['wsgi.errors'].write(`cgi: ${name}: ${message}\n`);
}

function kill(child: Child): void {
  child.stdin.destroy();
  if (!running.has(child) || child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
