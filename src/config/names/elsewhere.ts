/** Names in other servers and process managers: options of PM2, Puma, uvicorn and uWSGI, and keys of PM2's files. */

import type { Counterpart } from './gunicorn.ts';

/** `note` says what differs beside the name. */
export type Foreign = Counterpart & { readonly note?: string };

const ours = (name: string, note?: string): Foreign => ({ ours: name, ...(note === undefined ? {} : { note }) });
const none = (sentence: string): Foreign => ({ none: sentence });

const inSeconds = 'in seconds';
const staysInFront = none('tsgun stays in the foreground: let systemd, a container or another supervisor run it');
const oneApp = none('this is of PM2, which runs several apps; start tsgun once for each app: tsgun APP');

/** By name as an option; a file's key is looked up in the same form. */
export const foreignNames: Readonly<Record<string, Foreign>> = {
  // PM2
  instances: ours('workers', '"auto" in place of "max"'),
  i: ours('workers', '"auto" in place of "max"'),
  watch: ours('reload'),
  'max-memory-restart': ours('maxWorkerMemory', 'in MiB, without a unit'),
  cwd: ours('chdir'),
  'node-args': ours('nodeOptions'),
  'interpreter-args': ours('nodeOptions'),
  'kill-timeout': ours('gracefulTimeout', inSeconds),
  'listen-timeout': ours('bootTimeout', inSeconds),
  'wait-ready': none('a worker is ready when its app is loaded; --boot-timeout limits that'),
  'exec-mode': ours('workerClass'),
  output: ours('accessLogfile'),
  'out-file': ours('accessLogfile'),
  'error-file': ours('errorLogfile'),
  'no-daemon': staysInFront,
  script: none('name the app on the command line: tsgun APP'),
  args: none("write the app's own arguments after --: tsgun APP -- ARGS"),
  interpreter: none('tsgun runs the app by the Node that runs tsgun; it loads TypeScript by itself'),
  apps: oneApp,
  deploy: oneApp,
  'env-production': ours('env'),
  cron: none('tsgun has no clock; maxRequests and maxWorkerMemory recycle workers'),
  'cron-restart': none('tsgun has no clock; maxRequests and maxWorkerMemory recycle workers'),
  'exp-backoff-restart-delay': none('tsgun waits longer after each failure by itself'),
  'restart-delay': none('tsgun waits longer after each failure by itself'),
  'max-restarts': none('once the service has been up, tsgun never gives up'),
  autorestart: none('tsgun always replaces a worker that has died'),
  // Puma
  environment: ours('env', 'such as NODE_ENV=production'),
  dir: ours('chdir'),
  directory: ours('chdir'),
  tag: ours('procName'),
  quiet: ours('logLevel', 'such as warn'),
  'persistent-timeout': ours('keepAlive'),
  'worker-timeout': ours('timeout'),
  'worker-boot-timeout': ours('bootTimeout'),
  'worker-shutdown-timeout': ours('gracefulTimeout'),
  'first-data-timeout': ours('headerTimeout'),
  'redirect-stdout': none("the app's own output goes where tsgun's does: redirect standard output"),
  'redirect-stderr': ours('errorLogfile'),
  C: ours('config'),
  // uvicorn and Hypercorn
  uds: ours('bind', 'as unix:PATH'),
  fd: ours('bind', 'as fd://N'),
  'timeout-keep-alive': ours('keepAlive'),
  'timeout-graceful-shutdown': ours('gracefulTimeout'),
  'limit-max-requests': ours('maxRequests'),
  'app-dir': ours('chdir'),
  'ssl-keyfile': ours('keyfile'),
  'ssl-certfile': ours('certfile'),
  'proxy-headers': ours('forwardedAllowIps'),
  'access-log': ours('accessLogfile'),
  'log-config': ours('logFormat'),
  // uWSGI
  http: ours('bind'),
  'http-socket': ours('bind'),
  socket: ours('bind', 'as unix:PATH'),
  processes: ours('workers'),
  harakiri: ours('requestTimeout'),
  'max-worker-lifetime': ours('maxWorkerLifetime'),
  'reload-on-rss': ours('maxWorkerMemory'),
  uid: ours('user'),
  gid: ours('group'),
  daemonize: staysInFront,
  // Common to several
  cluster: ours('workers'),
  class: ours('workerClass'),
  verbose: ours('logLevel', 'such as debug'),
  log: ours('errorLogfile'),
  logfile: ours('errorLogfile'),
  'pid-file': ours('pidfile'),
  'max-memory': ours('maxWorkerMemory', 'in MiB, without a unit'),
};
