/**
 * THE TABLE: every setting, declared once. Types, the command line, config files, the environment, validation, `--help`,
 * `config.example.json` and `docs/settings.md` are all derived from it.
 */

import {
  account,
  addresses,
  choice,
  choiceInAnyCase,
  fileMask,
  nonEmptyText,
  optional,
  type Parser,
  seconds,
  secondsOrNever,
  variables,
  wholeNumber,
  workerCount,
} from './parsers.ts';

export const sections = ['Sockets', 'Workers', 'Connections', 'App', 'Process', 'Logging'] as const;

export interface Setting<T> {
  readonly section: (typeof sections)[number];
  readonly parse: Parser<T>;
  /** In the form a user would write it: it goes through `parse` too. `null`: not set. */
  readonly default: unknown;
  readonly metavar: string;
  readonly help: string;
  /** One letter for the command line. */
  readonly alias?: string;
  /** May be given several times on the command line. */
  readonly repeatable?: true;
  /** A file: relative to the working directory, which `chdir` changes. */
  readonly isPath?: true;
}

function setting<T>(declaration: Setting<T>): Setting<T> {
  return declaration;
}

export const table = {
  bind: setting({
    section: 'Sockets',
    parse: addresses,
    default: '127.0.0.1:8000',
    metavar: 'ADDR',
    alias: 'b',
    repeatable: true,
    help: 'Where to listen: HOST:PORT, [V6]:PORT, unix:PATH or fd://N; port 0 takes a free one. With $PORT set, 0.0.0.0:$PORT.',
  }),
  backlog: setting({
    section: 'Sockets',
    parse: wholeNumber(1, 65_535),
    default: 2048,
    metavar: 'N',
    help: 'How many connections may wait to be accepted.',
  }),
  workers: setting({
    section: 'Workers',
    parse: workerCount,
    default: 1,
    metavar: 'N|auto',
    alias: 'w',
    help: 'How many worker processes; auto: one per CPU this process may use. Also $WEB_CONCURRENCY.',
  }),
  workerClass: setting({
    section: 'Workers',
    parse: choice('sync', 'threaded', 'async'),
    default: 'async',
    metavar: 'CLASS',
    alias: 'k',
    help: 'How a worker serves. sync: one request at a time. threaded: each on a thread of its own. async: many at once.',
  }),
  threads: setting({
    section: 'Workers',
    parse: wholeNumber(1, 256),
    default: 4,
    metavar: 'N',
    help: 'How many threads a threaded worker has, and so how many requests it runs at once.',
  }),
  workerConnections: setting({
    section: 'Workers',
    parse: wholeNumber(1),
    default: 1000,
    metavar: 'N',
    help: 'The most connections a worker holds at once. What comes beyond waits where another worker can take it.',
  }),
  maxRequests: setting({
    section: 'Workers',
    parse: wholeNumber(0),
    default: 0,
    metavar: 'N',
    help: 'A worker is replaced after about this many requests; 0: never.',
  }),
  maxRequestsJitter: setting({
    section: 'Workers',
    parse: wholeNumber(0),
    default: 0,
    metavar: 'N',
    help: 'Up to this many more for each worker, at random, so that they are not replaced all at the same time.',
  }),
  maxWorkerMemory: setting({
    section: 'Workers',
    parse: wholeNumber(0),
    default: 0,
    metavar: 'MIB',
    help: 'A worker is replaced when its resident memory is larger; 0: never.',
  }),
  timeout: setting({
    section: 'Workers',
    parse: secondsOrNever(0.5),
    default: 30,
    metavar: 'SECONDS',
    help: 'A worker silent for this long is hung: its stack is logged, it is killed and replaced. 0 turns this off.',
  }),
  requestTimeout: setting({
    section: 'Workers',
    parse: secondsOrNever(0.1),
    default: 0,
    metavar: 'SECONDS',
    help: 'How long one request may take before it is answered 504. 0 turns this off.',
  }),
  bootTimeout: setting({
    section: 'Workers',
    parse: seconds(0.1),
    default: 60,
    metavar: 'SECONDS',
    help: 'A worker that is not ready by then has failed to boot.',
  }),
  gracefulTimeout: setting({
    section: 'Workers',
    parse: seconds(),
    default: 30,
    metavar: 'SECONDS',
    help: 'How long a stopping worker may finish its requests before it is killed.',
  }),
  keepAlive: setting({
    section: 'Connections',
    parse: seconds(),
    default: 65,
    metavar: 'SECONDS',
    help: 'How long a connection may be idle between requests; 0 closes it after each response.',
  }),
  headerTimeout: setting({
    section: 'Connections',
    parse: seconds(),
    default: 15,
    metavar: 'SECONDS',
    help: 'How long a request head may take to arrive, as a whole. 0 turns this off.',
  }),
  bodyTimeout: setting({
    section: 'Connections',
    parse: seconds(),
    default: 30,
    metavar: 'SECONDS',
    help: 'The longest silence inside a body, in either direction. 0 turns this off.',
  }),
  limitRequestLine: setting({
    section: 'Connections',
    parse: wholeNumber(0),
    default: 8190,
    metavar: 'BYTES',
    help: 'The longest request line, answered 414 beyond; 0: no limit.',
  }),
  limitRequestFields: setting({
    section: 'Connections',
    parse: wholeNumber(1, 32_768),
    default: 100,
    metavar: 'N',
    help: 'The most header fields in a request, answered 431 beyond.',
  }),
  limitRequestFieldSize: setting({
    section: 'Connections',
    parse: wholeNumber(0),
    default: 8190,
    metavar: 'BYTES',
    help: 'The longest header field line, answered 431 beyond; 0: no limit.',
  }),
  limitRequestBody: setting({
    section: 'Connections',
    parse: wholeNumber(0),
    default: 0,
    metavar: 'BYTES',
    help: 'The largest request body, answered 413 beyond; 0: no limit.',
  }),
  interface: setting({
    section: 'App',
    parse: choice('auto', 'wsgi', 'node', 'fetch', 'tcp'),
    default: 'auto',
    metavar: 'NAME',
    help: 'What the export is. wsgi: (env, startResponse) => body. node: (req, res), an app of Express, Koa, Fastify or the like, or an http.Server. fetch: (request) => Response. tcp: (socket) => void, also taken for an export named tcp. auto: found out from the export.',
  }),
  procName: setting({
    section: 'App',
    parse: nonEmptyText,
    default: 'tsgun',
    metavar: 'NAME',
    alias: 'n',
    help: 'The name in process titles.',
  }),
  chdir: setting({
    section: 'Process',
    parse: optional(nonEmptyText),
    default: null,
    metavar: 'DIR',
    help: 'Where to go before the app is looked up; found anew at each reload. The config file is looked up before.',
  }),
  env: setting({
    section: 'Process',
    parse: variables,
    default: {},
    metavar: 'NAME=VALUE',
    alias: 'e',
    repeatable: true,
    help: 'A variable for the environment of the workers; in a config file, an object or a list.',
  }),
  pidfile: setting({
    section: 'Process',
    parse: optional(nonEmptyText),
    default: null,
    metavar: 'FILE',
    alias: 'p',
    isPath: true,
    help: 'Where the master writes its process id; gone when it has exited.',
  }),
  umask: setting({
    section: 'Process',
    parse: optional(fileMask),
    default: null,
    metavar: 'MASK',
    alias: 'm',
    help: 'The file mode mask of master and workers, in octal digits, such as 022.',
  }),
  user: setting({
    section: 'Process',
    parse: optional(account),
    default: null,
    metavar: 'USER',
    alias: 'u',
    help: 'Who the workers become after binding and before the app is loaded: a name or a number. Only root can.',
  }),
  group: setting({
    section: 'Process',
    parse: optional(account),
    default: null,
    metavar: 'GROUP',
    alias: 'g',
    help: 'The group of the workers, likewise. Without it, the group of the user that was given.',
  }),
  errorLogfile: setting({
    section: 'Logging',
    parse: nonEmptyText,
    default: '-',
    metavar: 'FILE|-',
    isPath: true,
    help: 'Where the error log goes; - is standard error.',
  }),
  logLevel: setting({
    section: 'Logging',
    parse: choiceInAnyCase('trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'critical'),
    default: 'info',
    metavar: 'LEVEL',
    help: 'The least level that is logged.',
  }),
  logFormat: setting({
    section: 'Logging',
    parse: choice('auto', 'json', 'pretty'),
    default: 'auto',
    metavar: 'FORMAT',
    help: 'auto: pretty on a terminal, JSON lines elsewhere.',
  }),
};

export type SettingName = keyof typeof table;

/** Every setting's checked value. Times are in seconds and sizes in bytes, as users write them. */
export type Settings = { readonly [K in SettingName]: ReturnType<(typeof table)[K]['parse']> };

export const settingNames = Object.keys(table) as SettingName[];

/** `workerClass` → `worker-class`, the form of the command line. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `workerClass` → `TSGUN_WORKER_CLASS`, the form of the environment. */
export function environmentName(name: string): string {
  return `TSGUN_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
