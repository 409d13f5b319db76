/** gunicorn's settings and their names here. Names that differ only in case are not listed. */

/** The name here, or a sentence that says why there is no such setting. */
export type Counterpart = { readonly ours: string } | { readonly none: string };

const ours = (name: string): Counterpart => ({ ours: name });
const none = (sentence: string): Counterpart => ({ none: sentence });

const tsgunStaysInFront = none('tsgun stays in the foreground: let systemd, a container or another supervisor run it');
const isStrict = none('tsgun refuses what two HTTP parsers could read in two ways, and has no setting to allow it');

/** By gunicorn's name in a config file. */
export const gunicornSettings: Readonly<Record<string, Counterpart>> = {
  accesslog: ours('accessLogfile'),
  access_log_format: ours('accessLogformat'),
  errorlog: ours('errorLogfile'),
  loglevel: ours('logLevel'),
  keepalive: ours('keepAlive'),
  raw_env: ours('env'),
  proxy_allow_ips: ours('proxyAllowFrom'),
  reload_engine: ours('reload'),
  reload_extra_files: ours('reload'),
  spew: none("tsgun prints no line of the app's code as it runs: start Node with --inspect"),
  preload_app: none(
    'each worker loads the app itself, so that a reload serves new code; Node cannot fork a process with its memory',
  ),
  sendfile: none('Node has no sendfile'),
  reuse_port: none('workers accept from one socket, so that no connection is lost with a worker'),
  daemon: tsgunStaysInFront,
  worker_tmp_dir: none('workers beat through a channel of their own, not through a file'),
  initgroups: none('--user always sets the supplementary groups of the user'),
  tmp_upload_dir: none('tsgun stores no bodies in files'),
  secure_scheme_headers: ours('forwardedAllowIps'),
  disable_redirect_access_to_syslog: none('tsgun does not redirect logs to syslog'),
  capture_output: none("the app's own output goes where tsgun's does: redirect standard output and error"),
  enable_stdio_inheritance: none("workers always inherit tsgun's standard output and error"),
  logger_class: none('use errorLogfile, logLevel and logFormat'),
  logconfig: none('use errorLogfile, logLevel and logFormat'),
  logconfig_dict: none('use errorLogfile, logLevel and logFormat'),
  logconfig_json: none('use errorLogfile, logLevel and logFormat'),
  syslog: none('write to standard error, which systemd passes on to syslog'),
  syslog_addr: none('write to standard error, which systemd passes on to syslog'),
  syslog_prefix: none('write to standard error, which systemd passes on to syslog'),
  syslog_facility: none('write to standard error, which systemd passes on to syslog'),
  default_proc_name: ours('procName'),
  pythonpath: none('Node finds modules from the file that imports them; in a worker, `env` can set NODE_PATH'),
  paste: none('Paste is of Python; name the app on the command line'),
  raw_paste_global_conf: none('Paste is of Python; use `env`'),
  wsgi_app: none('name the app on the command line: tsgun APP'),
  pre_exec: none('a new master starts as a process of its own; use onStarting'),
  ssl_context: ours('certfile'),
  ssl_version: ours('tlsMin'),
  suppress_ragged_eofs: none('Node handles the end of TLS connections'),
  do_handshake_on_connect: none('the TLS handshake never blocks a worker'),
  permit_obsolete_folding: isStrict,
  strip_header_spaces: isStrict,
  permit_unconventional_http_method: none('any method that is a token of RFC 9110 is accepted'),
  permit_unconventional_http_version: isStrict,
  casefold_http_method: isStrict,
  forwarder_headers: ours('forwardedAllowIps'),
  header_map: none('header fields with an underscore in their name are not in the environ of a wsgi app'),
};

/** Settings with the same name here. */
export const sharedNames = (
  'config bind backlog workers worker_class threads worker_connections max_requests max_requests_jitter timeout ' +
  'graceful_timeout limit_request_line limit_request_fields limit_request_field_size reload check_config print_config ' +
  'chdir pidfile user group umask forwarded_allow_ips statsd_host dogstatsd_tags statsd_prefix proc_name on_starting ' +
  'on_reload when_ready pre_fork post_fork post_worker_init worker_int worker_abort pre_request post_request child_exit ' +
  'worker_exit nworkers_changed on_exit proxy_protocol keyfile certfile cert_reqs ca_certs ciphers'
).split(' ');

/** What a setting of ours is called in gunicorn's config file, if it has it. */
export function gunicornNameOf(name: string): string | undefined {
  const renamed = Object.entries(gunicornSettings).find(
    ([, counterpart]) => 'ours' in counterpart && counterpart.ours === name,
  );
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return renamed?.[0] ?? sharedNames.find((shared) => shared === snake);
}

/** Options whose name is another than the setting's in gunicorn's config file. */
export const gunicornOptions: Readonly<Record<string, string>> = {
  'access-logfile': 'accesslog',
  'access-logformat': 'access_log_format',
  'error-logfile': 'errorlog',
  'log-file': 'errorlog',
  pid: 'pidfile',
  name: 'proc_name',
  preload: 'preload_app',
  'no-sendfile': 'sendfile',
  'log-config': 'logconfig',
  'log-config-json': 'logconfig_json',
  'log-syslog': 'syslog',
  'log-syslog-to': 'syslog_addr',
  'log-syslog-prefix': 'syslog_prefix',
  'log-syslog-facility': 'syslog_facility',
  'reload-extra-file': 'reload_extra_files',
  D: 'daemon',
  R: 'enable_stdio_inheritance',
};
