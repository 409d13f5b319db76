/** The servers that the cases are sent to, with the same limits. Their apps report what they saw. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conformanceLimits } from '../conformance.ts';
import { openProcess } from './process.ts';
import { openScgiEcho } from './scgi-echo.ts';

export interface Contestant {
  readonly name: string;
  readonly version: () => string;
  /** tsgun must keep all of its promises; others must do what an RFC says. */
  readonly isOurs: boolean;
  /** One sentence on how it was set up. */
  readonly setup: string;
  /** How many cases it is sent at a time; each may hold a worker. */
  readonly concurrency: number;
  /** Cases about a limit that this server does not have. `what`: the limit, and what the server does instead. */
  readonly incomparable: readonly { readonly cases: RegExp; readonly what: string }[];
  readonly open: (port: number, directory: string) => Promise<{ close(): Promise<void> }>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const here = fileURLToPath(new URL('./', import.meta.url));
const cli = join(root, 'dist/cli.js');
const { requestLineBytes, fieldCount, fieldBytes, bodyBytes } = conformanceLimits;
/** Longer than any case waits: a connection closed as idle would count as `close`. */
const keepAliveSeconds = 65;
const workers = 4;
/** nginx and gunicorn count it as part of the line. */
const crlfBytes = 2;

const perLine = /of 8191 bytes|that never ends is answered|a field that is too long/;
const perCount = /a hundred and one/;
const perSize = /by its size alone|a chunk size of 2\^32/;
const perExtension = /an extension line of 4097 bytes|the extensions of all chunks together/;
const perVersion = /no HTTP\/0\.9 to us/;
const oldVersion = { cases: perVersion, what: 'a request without a version (it serves HTTP/0.9)' };
const ownBound = {
  cases: perExtension,
  what: 'the length of chunk extensions (no RFC has a limit, and tsgun’s is its own)',
};
const countsBytes = {
  cases: perSize,
  what: 'the size that a chunk announces (the app answers the 413, and sees only the bytes that arrived)',
};

function tsgun(workerClass: string): Contestant {
  return {
    name: `tsgun ${workerClass}`,
    version: () =>
      `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}, Node.js ${process.version}`,
    isOurs: true,
    setup: `\`tsgun --worker-class ${workerClass}\`, the built command with ${workers} workers.`,
    concurrency: workers,
    incomparable: [],
    open: (port) =>
      openProcess(port, [
        ...[process.execPath, cli, join(here, '../echo-app.ts'), '--bind', `127.0.0.1:${port}`],
        ...['--worker-class', workerClass, '--workers', String(workers), '--graceful-timeout', '2'],
        ...['--keep-alive', String(keepAliveSeconds), '--limit-request-line', String(requestLineBytes)],
        ...['--limit-request-fields', String(fieldCount), '--limit-request-field-size', String(fieldBytes)],
        ...['--limit-request-body', String(bodyBytes), '--log-level', 'error'],
      ]),
  };
}

const nodeHttp: Contestant = {
  name: 'node:http',
  version: () => `Node.js ${process.version}`,
  isOurs: false,
  setup: 'A plain `http.createServer`. Its handler reads the body, and answers 413 if it is too large.',
  concurrency: 16,
  incomparable: [
    { cases: perLine, what: 'the length of a line (it limits only the head as a whole)' },
    { cases: perCount, what: 'the number of fields (it drops those beyond `maxHeadersCount`)' },
    countsBytes,
    ownBound,
    oldVersion,
  ],
  open: (port) =>
    openProcess(port, [process.execPath, join(here, 'node-echo.mjs'), port, bodyBytes, keepAliveSeconds].map(String)),
};

const nginx: Contestant = {
  name: 'nginx',
  // It says its version on stderr.
  version: () => execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).replace(/^.*\//, '').trim(),
  isOurs: false,
  setup:
    'It passes requests to an app over SCGI, which is not HTTP; the app reports what it saw. ' +
    'On `/unread` nginx itself answers with `return 200`, which reads no body.',
  concurrency: 16,
  incomparable: [{ cases: perCount, what: 'the number of fields (it has no limit)' }, ownBound, oldVersion],
  async open(port, directory) {
    const echo = await openScgiEcho();
    writeFileSync(join(directory, 'nginx.conf'), nginxConfiguration(port, echo.port, directory));
    const server = await openProcess(port, ['nginx', '-p', directory, '-c', join(directory, 'nginx.conf')]);
    return {
      async close() {
        await server.close();
        await echo.close();
      },
    };
  },
};

function nginxConfiguration(port: number, echoPort: number, directory: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // A line must fit into one buffer, with its CRLF.
  const bufferBytes = requestLineBytes + crlfBytes;
  return `
    daemon off;
    worker_processes 1;
    pid ${directory}/nginx.pid;
    error_log stderr crit;
    events { worker_connections 1024; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ')}
      keepalive_timeout ${keepAliveSeconds};
      client_header_buffer_size ${bufferBytes};
      large_client_header_buffers 8 ${bufferBytes};
      client_max_body_size ${bodyBytes};
      client_body_buffer_size ${2 * bodyBytes};
      lingering_timeout 1s;
      server {
        listen 127.0.0.1:${port};
        location = /unread { return 200; }
        location / {
          scgi_param REQUEST_LINE $request;
          scgi_ignore_client_abort on;
          scgi_max_temp_file_size 0;
          scgi_pass 127.0.0.1:${echoPort};
        }
      }
    }`;
}

function gunicorn(workerClass: string, option: string, capacity: number): Contestant {
  const pythonVersion = () => execFileSync('/usr/bin/python3', ['--version'], { encoding: 'utf8' }).trim();
  return {
    name: `gunicorn ${workerClass}`,
    version: () =>
      `${execFileSync('/usr/bin/gunicorn', ['--version'], { encoding: 'utf8' }).replace(/[^\d.]/g, '')}, ${pythonVersion()}`,
    isOurs: false,
    setup:
      `\`gunicorn --worker-class ${workerClass} ${option} ${capacity}\` with a WSGI app that reads the body. The app ` +
      'answers 413 if the body is too large, and 400 if it cannot be read.',
    concurrency: capacity,
    incomparable: [countsBytes, ownBound],
    open: (port, directory) =>
      openProcess(port, [
        ...['/usr/bin/gunicorn', 'gunicorn_echo:app', '--chdir', here, '--bind', `127.0.0.1:${port}`],
        ...['--worker-class', workerClass, option, String(capacity), '--keep-alive', String(keepAliveSeconds)],
        ...['--limit-request-line', String(requestLineBytes), '--limit-request-fields', String(fieldCount)],
        ...['--limit-request-field_size', String(fieldBytes + crlfBytes), '--env', `BODY_LIMIT=${bodyBytes}`],
        ...['--env', 'PYTHONDONTWRITEBYTECODE=1', '--worker-tmp-dir', directory, '--log-level', 'critical'],
      ]),
  };
}

export const contestants: readonly Contestant[] = [
  // One class is enough: all share the engine, and conformance-server.test.ts runs the cases in each class.
  tsgun('async'),
  nodeHttp,
  nginx,
  gunicorn('sync', '--workers', 8),
  gunicorn('gthread', '--threads', 16),
];
