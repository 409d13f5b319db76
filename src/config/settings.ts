/**
 * THE TABLE: every setting, declared once. Types, the command line, config files, the environment, validation, `--help`,
 * `config.example.json`, `config.schema.json` and `docs/settings.md` are all derived from it.
 */

import { interfaceNames, otherInterfaceNames } from '../app/names.ts';
import { type InterfaceName, registry } from '../app/registry.ts';
import { accessFormat, fieldName, path, paths } from './access-parsers.ts';
import { addresses } from './addresses.ts';
import { adminAddress } from './admin-address.ts';
import { networks } from './networks.ts';
import { nodeOptions } from './node-options.ts';
import {
  account,
  bytes,
  choice,
  choiceInAnyCase,
  choiceOf,
  fileMask,
  fileOfProcess,
  flag,
  flagOrForce,
  mebibytes,
  nonEmptyText,
  optional,
  type Parser,
  seconds,
  secondsOrNever,
  socketFile,
  texts,
  variables,
  wholeNumber,
  workerCount,
} from './parsers.ts';
import { hostPort, statsdText as text } from './statsd.ts';

export const sections = [
  'Sockets',
  'Workers',
  'Connections',
  'Proxies',
  'App',
  'Process',
  'Logging',
  'Monitoring',
] as const;

export interface Setting {
  readonly section: (typeof sections)[number];
  /** Checks a value. It also says what a user may write, by `schema` and the type `form`. */
  readonly parse: Parser<unknown, unknown>;
  /** In the form a user would write it: it goes through `parse` too. `null`: not set. */
  readonly default: unknown;
  readonly metavar: string;
  /** For `--help`, which has a line or two for it. */
  readonly help: string;
  /** What else there is to know, for `--help NAME` and the documentation. */
  readonly more?: string;
  /** A value that is not the default, in the form a user would write it. */
  readonly example: unknown;
  /** One letter for the command line. */
  readonly alias?: string;
  /** What the option means where no value follows it (`--reload`); `--no-NAME` is false then. */
  readonly bare?: string;
  /** May be given several times on the command line. */
  readonly repeatable?: true;
  /** A file: relative to the working directory, which `chdir` changes. */
  readonly isPath?: true;
  /** Means something without a master and workers: `createServer` takes it. */
  readonly inProcess?: true;
  /** The worker classes in which it does something. Not given: all of them. */
  readonly classes?: readonly string[];
  /** Another setting, which must not be 0 for this one to do something. */
  readonly needs?: string;
}

function setting<const S extends Setting>(declaration: S): S {
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
    inProcess: true,
    help: 'HOST:PORT, [V6]:PORT, unix:PATH or fd://N to listen on.',
    more: 'May be given several times. Port 0 takes a free port. An empty host, as in ":8000", means all IPv4 addresses of the machine. With $PORT set, the default is 0.0.0.0:$PORT. Sockets that systemd passes are used in place of this setting.',
    example: ['0.0.0.0:8000', 'unix:/run/app.sock'],
  }),
  backlog: setting({
    section: 'Sockets',
    parse: wholeNumber(1, 65_535),
    default: 2048,
    metavar: 'N',
    inProcess: true,
    help: 'Connections that may wait to be accepted.',
    more: 'The system may allow fewer: on Linux, net.core.somaxconn.',
    example: 4096,
  }),
  workers: setting({
    section: 'Workers',
    parse: workerCount,
    default: 1,
    metavar: 'N|auto',
    alias: 'w',
    help: 'Worker processes; auto: one per usable CPU.',
    more: '"auto" counts the CPUs that this process may use; it respects CPU affinity and the limits of control groups. With $WEB_CONCURRENCY set, that is the default. The signals TTIN and TTOU change the number while tsgun runs.',
    example: 'auto',
  }),
  workerClass: setting({
    section: 'Workers',
    parse: choiceOf(
      { gthread: 'threaded', gevent: 'async', eventlet: 'async', tornado: 'async', fork: 'async', cluster: 'async' },
      'sync',
      'threaded',
      'async',
    ),
    default: 'async',
    metavar: 'CLASS',
    alias: 'k',
    help: 'How a worker serves: sync, threaded, async.',
    more: 'sync: one request at a time. threaded: up to --threads requests at once, each alone on a thread that it may block. async: many at once on the event loop.',
    example: 'threaded',
  }),
  threads: setting({
    section: 'Workers',
    parse: wholeNumber(1, 256),
    default: 4,
    metavar: 'N',
    classes: ['threaded'],
    help: 'Threads of a threaded worker.',
    more: 'A worker runs as many requests at once as it has threads; further ones wait for a thread.',
    example: 8,
  }),
  workerConnections: setting({
    section: 'Workers',
    parse: wholeNumber(1),
    default: 10_000,
    metavar: 'N',
    help: 'Connections a worker holds at most.',
    more: 'It is lower if the limit of file descriptors (ulimit -n) is low: a quarter of them is left to the app. A full worker closes the connection that has been idle longest for a new one, then one whose request head is slow. If there is none, connections beyond this wait in the accept queue, where other workers can take them. connections_full in the log says that the limit was reached.',
    example: 50_000,
  }),
  maxRequests: setting({
    section: 'Workers',
    parse: wholeNumber(0),
    default: 0,
    metavar: 'N',
    help: 'Replace a worker after N requests; 0: never.',
    more: 'The exact number differs from worker to worker by maxRequestsJitter. A new worker is ready before the old one leaves.',
    example: 10_000,
  }),
  maxRequestsJitter: setting({
    section: 'Workers',
    parse: wholeNumber(0),
    default: 0,
    metavar: 'N',
    needs: 'maxRequests',
    help: 'Up to N requests more for each worker, at random.',
    more: 'Workers that started together are then not replaced all at the same time.',
    example: 1000,
  }),
  maxWorkerLifetime: setting({
    section: 'Workers',
    parse: secondsOrNever(1),
    default: 0,
    metavar: 'S',
    help: 'Replace a worker after about so long; 0: never.',
    more: 'Up to a tenth more for each worker, at random, so that they are not replaced all at the same time. A new worker is ready before the old one leaves.',
    example: 86_400,
  }),
  maxWorkerMemory: setting({
    section: 'Workers',
    parse: mebibytes(0),
    default: 0,
    metavar: 'MIB',
    help: 'Replace a worker that is larger; 0: never.',
    more: 'The limit is in MiB of resident memory. A new worker is ready before the old one leaves. The log then names the functions that allocated most of what is in use.',
    example: 512,
  }),
  timeout: setting({
    section: 'Workers',
    parse: secondsOrNever(0.5),
    default: 30,
    metavar: 'S',
    help: 'Kill a worker silent for so long; 0: never.',
    more: 'A worker that is silent for this long is hung. The log shows its JavaScript stack and the requests that were running, and another worker takes its place. A worker is silent when its event loop is blocked; one that waits for a database is not.',
    example: 60,
  }),
  requestTimeout: setting({
    section: 'Workers',
    parse: secondsOrNever(0.1),
    default: 0,
    metavar: 'S',
    inProcess: true,
    help: 'Answer a slower request with 504; 0: never.',
    more: 'First tsgun.signal of the request aborts. In the threaded class a request in an endless loop loses its thread. The log says where the request was.',
    example: 10,
  }),
  slowRequest: setting({
    section: 'Workers',
    parse: secondsOrNever(0.1),
    default: 0,
    metavar: 'S',
    help: 'Log a request that takes longer; 0: never.',
    more: 'The line request_slow says where the code of the request was when this time had passed. At most once a minute it also names the file of a CPU profile of the second that followed. See docs/hung-workers.md.',
    example: 2,
  }),
  retryIdempotent: setting({
    section: 'Workers',
    parse: flag,
    default: false,
    metavar: 'yes|no',
    bare: 'true',
    classes: ['threaded'],
    help: 'Threaded: retry a GET or HEAD whose thread died.',
    more: 'If no byte of the answer was out, the request is given to another thread, once. Without this, the client gets a 500.',
    example: true,
  }),
  bootTimeout: setting({
    section: 'Workers',
    parse: seconds(0.1),
    default: 60,
    metavar: 'S',
    help: 'A worker must be ready by then.',
    more: 'A worker that is not ready after this time has failed to boot. At the start that ends tsgun with exit code 3.',
    example: 120,
  }),
  gracefulTimeout: setting({
    section: 'Workers',
    parse: seconds(),
    default: 30,
    metavar: 'S',
    inProcess: true,
    help: 'What a stopping worker has to finish.',
    more: 'At a stop or a reload, a worker has this long to finish its requests. Those that still run after it are cut.',
    example: 60,
  }),
  drainDelay: setting({
    section: 'Workers',
    parse: seconds(),
    default: 0,
    metavar: 'S',
    help: 'At TERM, serve on so long, not ready.',
    more: 'At once, /readyz and --health-path say 503. The service goes on for this long before it stops accepting. So a load balancer takes the instance out before a client meets a closed port. Set it to the time that the balancer needs. A second TERM, INT or QUIT ends it. The supervisor must wait for this and gracefulTimeout together. See docs/health.md.',
    example: 10,
  }),
  keepAlive: setting({
    section: 'Connections',
    parse: seconds(),
    default: 65,
    metavar: 'S',
    inProcess: true,
    help: 'How long a connection may be idle.',
    more: '0 closes a connection after each response. Load balancers keep idle connections for about 60 seconds; a server that closes earlier than its balancer causes responses with status 502.',
    example: 75,
  }),
  headerTimeout: setting({
    section: 'Connections',
    parse: seconds(),
    default: 15,
    metavar: 'S',
    inProcess: true,
    help: 'For a whole request head; 0: no limit.',
    more: 'A client that takes longer gets a 408 and is disconnected.',
    example: 10,
  }),
  bodyTimeout: setting({
    section: 'Connections',
    parse: seconds(),
    default: 30,
    metavar: 'S',
    inProcess: true,
    help: 'Longest silence inside a body; 0: no limit.',
    more: 'It applies in both directions: to a client that stops sending, and to one that stops reading the response.',
    example: 60,
  }),
  limitRequestLine: setting({
    section: 'Connections',
    parse: bytes(0),
    default: 8190,
    metavar: 'BYTES',
    inProcess: true,
    help: 'Longest request line, else 414; 0: no limit.',
    example: 4094,
  }),
  limitRequestFields: setting({
    section: 'Connections',
    parse: wholeNumber(1, 32_768),
    default: 100,
    metavar: 'N',
    inProcess: true,
    help: 'Most header fields, else 431.',
    example: 200,
  }),
  limitRequestFieldSize: setting({
    section: 'Connections',
    parse: bytes(0),
    default: 8190,
    metavar: 'BYTES',
    inProcess: true,
    help: 'Longest header field, else 431; 0: no limit.',
    example: 16_380,
  }),
  limitRequestBody: setting({
    section: 'Connections',
    parse: bytes(0),
    default: 0,
    metavar: 'BYTES',
    inProcess: true,
    help: 'Largest body, else 413; 0: no limit.',
    example: 10_485_760,
  }),
  bufferBody: setting({
    section: 'Connections',
    parse: bytes(0),
    default: 1_048_576,
    metavar: 'BYTES',
    classes: ['sync', 'threaded'],
    help: 'Read a body up to this size whole first; 0: none.',
    more: 'The body is read before the app runs. A client that sends slowly then holds up neither a thread nor a sync worker. A client that sends "Expect: 100-continue" gets 100 Continue at once. A longer body goes to the app once this many bytes have arrived, and then as it arrives.',
    example: 65_536,
  }),
  proxyProtocol: setting({
    section: 'Proxies',
    parse: choiceOf({ true: 'auto', false: 'off' }, 'off', 'v1', 'v2', 'auto'),
    default: 'off',
    metavar: 'VERSION',
    inProcess: true,
    help: 'Read the PROXY header: off, v1, v2, auto.',
    more: "The client's address is taken from the PROXY header with which a proxy begins each connection. Peers in --proxy-allow-from and peers on unix sockets must send it; a header of any other peer is refused. It is for tcp apps, too. See docs/proxies.md.",
    example: 'v2',
  }),
  proxyAllowFrom: setting({
    section: 'Proxies',
    parse: networks,
    default: ['127.0.0.1', '::1'],
    metavar: 'LIST',
    needs: 'proxyProtocol',
    inProcess: true,
    help: 'Peers that send a PROXY header.',
    more: 'Addresses and networks, such as 10.0.0.0/8; "*": all. These peers must send the header.',
    example: '10.0.0.0/8',
  }),
  forwardedAllowIps: setting({
    section: 'Proxies',
    parse: networks,
    default: ['127.0.0.1', '::1'],
    metavar: 'LIST',
    inProcess: true,
    help: 'Peers whose word about the scheme is believed.',
    more: 'Addresses and networks, such as 10.0.0.0/8; "*": all. Of these peers, X-Forwarded-Proto, X-Forwarded-Protocol and X-Forwarded-Ssl say whether the client used https; fields that contradict each other are answered 400. Peers on unix sockets are always believed. See docs/proxies.md.',
    example: '10.0.0.0/8,2001:db8::/32',
  }),
  clientAddress: setting({
    section: 'Proxies',
    parse: optional(fieldName),
    default: null,
    metavar: 'HEADER',
    inProcess: true,
    help: "The field with the client's address.",
    more: 'x-forwarded-for, forwarded, or a field with one address, such as x-real-ip. It is read only if the peer is in --forwarded-allow-ips. The client is the rightmost address that is not in that list itself; with "*", the leftmost. Of forwarded, the proto of the client counts too.',
    example: 'x-forwarded-for',
  }),
  forwardedHost: setting({
    section: 'Proxies',
    parse: flag,
    default: false,
    metavar: 'yes|no',
    bare: 'true',
    inProcess: true,
    help: 'Believe X-Forwarded-Host, -Port and -Prefix.',
    more: 'Of peers in --forwarded-allow-ips only. They set HTTP_HOST, SERVER_PORT and SCRIPT_NAME, and the host in the URL of a fetch app. Of several values the last counts, which the nearest proxy has written. Set it only if the proxy always sets these fields.',
    example: true,
  }),
  forwardedStrip: setting({
    section: 'Proxies',
    parse: flag,
    default: false,
    metavar: 'yes|no',
    bare: 'true',
    inProcess: true,
    help: 'Remove forwarding fields of other peers.',
    more: 'Forwarded, X-Real-IP, all that begin with X-Forwarded-, and the field of --client-address do not reach the app if the peer is not in --forwarded-allow-ips.',
    example: true,
  }),
  interface: setting({
    section: 'App',
    parse: choiceOf<'auto' | InterfaceName>(otherInterfaceNames(), 'auto', ...interfaceNames),
    default: 'auto',
    metavar: 'NAME',
    inProcess: true,
    help: `What the export is: ${['auto', ...interfaceNames].join(', ')}.`,
    more: `${interfaceNames.map((name) => `${name}: ${registry[name].takes}`).join(' ')} auto: tsgun looks at the export.`,
    example: 'node',
  }),
  reload: setting({
    section: 'App',
    parse: flagOrForce,
    default: false,
    metavar: 'yes|no|force',
    bare: 'true',
    help: 'Development: reload when a file changes.',
    more: 'Watches what the app imports, node_modules excepted, the config file, the env files and .env. New code serves within a second of a save; requests of the old code have three seconds to finish. If the new code does not load, requests get a page with the error and its place until a file is changed. Refused where NODE_ENV is production, unless the value is force. See docs/development.md.',
    example: true,
  }),
  procName: setting({
    section: 'App',
    parse: nonEmptyText,
    default: 'tsgun',
    metavar: 'NAME',
    alias: 'n',
    help: 'The name in process titles.',
    more: 'It is what ps and top show.',
    example: 'shop',
  }),
  chdir: setting({
    section: 'Process',
    parse: optional(nonEmptyText),
    default: null,
    metavar: 'DIR',
    help: 'Enter this directory before the app is loaded.',
    more: 'Each reload enters the directory by its name again, so that a symbolic link may move. The config file is looked up before.',
    example: '/srv/shop/current',
  }),
  env: setting({
    section: 'Process',
    parse: variables,
    default: {},
    metavar: 'NAME=VALUE',
    alias: 'e',
    repeatable: true,
    help: 'A variable for the workers.',
    more: 'May be given several times. In a config file it is an object, or a list of "NAME=VALUE".',
    example: { NODE_ENV: 'production' },
  }),
  envFile: setting({
    section: 'Process',
    parse: texts,
    default: [],
    metavar: 'FILE',
    repeatable: true,
    isPath: true,
    help: 'A file of variables for the workers.',
    more: 'The file is in dotenv form and is read again at each reload. May be given several times; of two files that set a variable, the later counts. The environment wins over the file, and env wins over both. It sets variables of the workers only, never settings of tsgun. Node itself looks for a file that is named on the command line: if it is missing there, Node exits with code 9.',
    example: ['.env', '.env.local'],
  }),
  nodeOptions: setting({
    section: 'Process',
    parse: nodeOptions,
    default: [],
    metavar: '"…"',
    help: 'Options of Node for the workers.',
    more: 'Several are separated by spaces, as in $NODE_OPTIONS, or are a list in a config file. Unlike $NODE_OPTIONS they do not reach the programs that the app starts. tsgun asks Node whether it accepts them.',
    example: '--max-old-space-size=512 --trace-warnings',
  }),
  pidfile: setting({
    section: 'Process',
    parse: optional(fileOfProcess),
    default: null,
    metavar: 'FILE',
    alias: 'p',
    isPath: true,
    help: 'Where the master writes its process id.',
    more: 'The file is removed when the master exits, for whatever reason. A file that names an ended process, or another program, is replaced. While a new master runs beside an old one (signal USR2), its file ends in .2.',
    example: '/run/shop.pid',
  }),
  controlSocket: setting({
    section: 'Process',
    parse: optional(socketFile),
    default: null,
    metavar: 'PATH|none',
    isPath: true,
    help: 'The socket that tsgun status and the like speak to; none: no socket.',
    more: 'Only the user that started tsgun, and root, can connect. Without this setting it is tsgun/PID.sock in $XDG_RUNTIME_DIR, or else tsgun-UID/PID.sock in the temporary directory, where the commands look. While a new master runs beside an old one (signal USR2), a path given here ends in .2 for the new one.',
    example: '/run/shop/control.sock',
  }),
  umask: setting({
    section: 'Process',
    parse: optional(fileMask),
    default: null,
    metavar: 'MASK',
    alias: 'm',
    help: 'The file mode mask, in octal digits.',
    more: 'It applies to master and workers, and decides who may connect to a unix socket.',
    example: '027',
  }),
  user: setting({
    section: 'Process',
    parse: optional(account),
    default: null,
    metavar: 'USER',
    alias: 'u',
    help: 'The user that the workers become.',
    more: 'A name or a number. Only root can change it. Workers change after the addresses are bound and before the app is loaded. Unix sockets that tsgun makes belong to them; the umask decides who else may connect.',
    example: 'www-data',
  }),
  group: setting({
    section: 'Process',
    parse: optional(account),
    default: null,
    metavar: 'GROUP',
    alias: 'g',
    help: 'The group that the workers change to.',
    more: 'A name or a number. Only root can change it. Without it, the workers get the group of --user.',
    example: 'www-data',
  }),
  accessLogfile: setting({
    section: 'Logging',
    parse: optional(nonEmptyText),
    default: null,
    metavar: 'FILE|-',
    isPath: true,
    inProcess: true,
    help: 'The access log; -: standard output.',
    more: 'One line for each request that is over, however it ended. Lines are written together, at the latest after half a second. The signal USR1 opens the file anew after it was rotated. See docs/access-log.md.',
    example: '/var/log/shop/access.log',
  }),
  accessLogformat: setting({
    section: 'Logging',
    parse: accessFormat,
    default: 'combined',
    metavar: 'FORMAT',
    needs: 'accessLogfile',
    inProcess: true,
    help: "combined, json, or gunicorn's atoms.",
    more: 'json: one JSON object per line. combined: the format of Apache and nginx. Or a text with the atoms of gunicorn, such as %(h)s. Lines are printable ASCII: other bytes are \\xHH, in JSON \\u00HH.',
    example: 'json',
  }),
  accessLogSkip: setting({
    section: 'Logging',
    parse: paths,
    default: [],
    metavar: 'PATH',
    needs: 'accessLogfile',
    repeatable: true,
    inProcess: true,
    help: 'A path whose requests are not logged.',
    more: 'May be given several times. The query does not count. A path that ends in * stands for all that begin so.',
    example: ['/health', '/assets/*'],
  }),
  requestIdHeader: setting({
    section: 'Logging',
    parse: fieldName,
    default: 'x-request-id',
    metavar: 'NAME',
    inProcess: true,
    help: "The field with a request's id.",
    more: "The id is in the access log, in request_failed and request_timeout, and in env['tsgun.requestId']. Where a request has none, or one that is not of 1 to 128 printable ASCII characters without spaces, tsgun makes one.",
    example: 'x-correlation-id',
  }),
  errorLogfile: setting({
    section: 'Logging',
    parse: nonEmptyText,
    default: '-',
    metavar: 'FILE|-',
    isPath: true,
    inProcess: true,
    help: 'The error log; -: standard error.',
    more: 'The signal USR1 reopens the file after it was rotated.',
    example: '/var/log/shop/error.log',
  }),
  logLevel: setting({
    section: 'Logging',
    parse: choiceInAnyCase('trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'critical'),
    default: 'info',
    metavar: 'LEVEL',
    inProcess: true,
    help: 'The least level that is logged.',
    more: 'trace, debug, info, warn, error or fatal. "warning" and "critical", as in gunicorn, mean warn and fatal.',
    example: 'debug',
  }),
  logFormat: setting({
    section: 'Logging',
    parse: choice('auto', 'json', 'pretty'),
    default: 'auto',
    metavar: 'FORMAT',
    inProcess: true,
    help: 'auto, json or pretty.',
    more: 'json: one JSON object per line. pretty: for people. auto: pretty on a terminal, json elsewhere.',
    example: 'json',
  }),
  adminBind: setting({
    section: 'Monitoring',
    parse: optional(adminAddress),
    default: null,
    metavar: 'ADDR',
    help: 'Where the master answers /livez and /readyz.',
    more: 'HOST:PORT, [V6]:PORT or unix:PATH. The master answers GET and HEAD of /livez, /readyz, /healthz, /metrics and /status here, also when every worker is blocked. The umask decides who may connect to a unix socket. See docs/health.md.',
    example: '127.0.0.1:9100',
  }),
  healthPath: setting({
    section: 'Monitoring',
    parse: optional(path),
    default: null,
    metavar: 'PATH',
    help: "Answered on the app's address, as /readyz.",
    more: 'A worker answers GET and HEAD of this path itself, without the app: 200, or 503 once the service is about to stop. The access log, the hooks and the metrics leave these requests out. See docs/health.md.',
    example: '/healthz',
  }),
  statsdHost: setting({
    section: 'Monitoring',
    parse: optional(hostPort),
    default: null,
    metavar: 'HOST:PORT',
    help: 'A StatsD server to send to, by UDP.',
    more: 'Each second, and by the names of gunicorn: gunicorn.requests, gunicorn.request.status.200 and so on, gunicorn.request.duration, gunicorn.workers. See docs/metrics.md.',
    example: '127.0.0.1:8125',
  }),
  statsdPrefix: setting({
    section: 'Monitoring',
    parse: text,
    default: '',
    metavar: 'PREFIX',
    needs: 'statsdHost',
    help: 'What the names for StatsD begin with.',
    more: 'A dot is added.',
    example: 'shop',
  }),
  dogstatsdTags: setting({
    section: 'Monitoring',
    parse: text,
    default: '',
    metavar: 'TAGS',
    needs: 'statsdHost',
    help: 'Tags in the form of DogStatsD: a:b,c.',
    more: 'They are added to each line for StatsD.',
    example: 'env:production,team:shop',
  }),
  serverTiming: setting({
    section: 'Monitoring',
    parse: flag,
    default: false,
    metavar: 'yes|no',
    bare: 'true',
    help: 'Say in each answer how long it took.',
    more: 'In the field Server-Timing, which browsers show: app is the time from the request head to the head of the answer, in milliseconds; queue is the time that the request waited for a thread. Every client can read it.',
    example: true,
  }),
  adminPublic: setting({
    section: 'Monitoring',
    parse: flag,
    default: false,
    metavar: 'yes|no',
    bare: 'true',
    needs: 'adminBind',
    help: 'Let others than this machine reach it.',
    more: 'What the admin listener shows has no password: paths of running requests, process ids. Without this, only a loopback address or a unix socket is allowed.',
    example: true,
  }),
};

export type SettingName = keyof typeof table;

/** Every setting's checked value. Times are in seconds and sizes in bytes, as users write them. */
export type Settings = { readonly [K in SettingName]: ReturnType<(typeof table)[K]['parse']> };

export const settingNames = Object.keys(table) as SettingName[];

export function isSetting(name: string): name is SettingName {
  return Object.hasOwn(table, name);
}

/** A setting's declaration where it does not matter which setting it is. */
export function declarationOf(name: SettingName): Setting {
  return table[name];
}

/** `workerClass` → `worker-class`, the form of the command line. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `workerClass` → `TSGUN_WORKER_CLASS`, the form of the environment. */
export function environmentName(name: string): string {
  return `TSGUN_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
