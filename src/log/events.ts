/** THE EVENTS: each line about a process's life, declared once. The type of `event`, `docs/log.md` and the tests derive from it. */

import { type EventDeclaration, event } from './event.ts';

const worker = { worker: 'its number', generation: 'the generation that it runs' };
const origin = {
  signal: 'the signal that asked for it',
  from: '`control`, `program` or `watcher`, if it was no signal; `watch_after`, if a bad release is taken back',
  file: 'under `--reload`, the file that was saved',
};
const request = { method: '`TCP` for a raw connection', path: 'the path, or the address of a raw client' };
const failure = { error: 'what failed', stack: 'where, if there is a stack' };
const nothing = 'Nothing.';

export const events = {
  master_started: event({
    levels: ['info'],
    when: 'The configuration is read, and the addresses are bound.',
    fields: {
      version: 'of tsgun',
      app: 'as on the command line',
      addresses: 'a list',
      workers: 'how many are wanted',
      workerClass: 'as set',
      node: 'the version of Node',
    },
    todo: nothing,
  }),
  listening: event({
    levels: ['info'],
    when: 'The first worker accepts on an address: from now on clients are served.',
    fields: { address: 'as bound', url: 'not for a unix socket', interface: 'what the app was taken for' },
    todo: 'If the interface is not what you expect, set `--interface`.',
  }),
  worker_spawned: event({
    levels: ['info'],
    when: 'A worker process has been started.',
    fields: worker,
    todo: nothing,
  }),
  worker_ready: event({
    levels: ['info'],
    when: 'A worker has loaded the app and accepts.',
    fields: {
      ...worker,
      interface: 'what the app was taken for',
      serves: 'of a program that calls `listen()`, which of its servers is served',
      askedFor: 'the address that the program wanted, if it is another',
      bootMs: 'from its start until now',
    },
    todo: 'If `bootMs` is large, reloads are slow: load less at the start.',
  }),
  worker_exited: event({
    levels: ['info', 'warn', 'error', 'fatal', 'debug'],
    when: 'A worker process has ended. `fatal`: no worker could boot, so tsgun ends. `debug`: more of the same.',
    fields: {
      ...worker,
      code: 'its exit code, or null',
      signal: 'the signal that ended it, or null',
      reason:
        '`reload`, `max_requests`, `max_memory`, `max_lifetime`, `scaled_down`, `canary` (its generation was rolled back) and `shutdown` are as asked for; `hung`, `crashed`, `killed` and `boot_failed` are not',
      uptimeMs: 'from its start to its end',
      requests: 'answered by it',
      memoryBytes: 'resident at its last report, where memory is the reason',
      limitBytes: 'the limit of `--max-worker-memory`',
      memoryKill: '`cgroup` or `machine`: the kernel most likely killed it for lack of memory',
      ...failure,
    },
    todo: '`boot_failed`: mend what `error` says. `crashed`: the `fatal` line of the same `pid` before it has the error that escaped; without one, see `code` and `signal`. `killed` with `memoryKill`: give it more memory, or fewer workers.',
  }),
  worker_hung: event({
    levels: ['error', 'warn'],
    when: 'A worker was silent for `--timeout`, and is killed. `warn`: it was asked to leave, and has not ended within `--graceful-timeout`.',
    fields: {
      ...worker,
      silentMs: 'for how long',
      stack: 'where its JavaScript was, innermost function first',
      requests: 'those that were running: `method`, `path`, `ms`',
      reason: 'why it was asked to leave',
      cut: 'how many requests were cut',
    },
    todo: 'Look at the first function of `stack`: it blocks the event loop. See [hung workers](hung-workers.md).',
  }),
  worker_recycled: event({
    levels: ['info', 'warn', 'error', 'fatal'],
    when: 'A worker is about to leave, and another takes its place: it has reached a limit, it was told to by a signal or a command, an error has escaped the app (`fatal`), or the app has called `process.exit` (`error`).',
    fields: {
      ...worker,
      ...origin,
      reason:
        '`max_requests`, `max_memory` or `max_lifetime`; `killed`; `crashed`; `shutdown` if the master is gone, and nobody takes its place',
      requests: 'answered by it',
      memoryBytes: 'resident, for `max_memory`',
      limitBytes: 'the limit, for `max_memory`',
      code: 'of `process.exit`',
      cut: 'how many requests were cut by it',
      running: 'these: `method`, `path`, `ms`',
      ...failure,
    },
    todo: '`fatal`: mend what `stack` points at. `max_memory` often: the line after it names the functions that allocated most.',
  }),
  spawn_delayed: event({
    levels: ['warn'],
    when: 'A worker failed several times in a row, and its next start waits.',
    fields: {
      worker: 'its number',
      delayMs: 'how long',
      reason: 'as in `worker_exited`',
      failures: 'in a row',
      crashesLastMinute: 'of all workers',
    },
    todo: 'Find the cause in `worker_exited`.',
  }),
  scaled: event({
    levels: ['info'],
    when: 'The number of workers is changed while tsgun runs.',
    fields: {
      signal: origin.signal,
      from: 'how many until now',
      workers: 'from now on; at the least, if `--max-workers` lets the load raise it',
      busyWorkers: 'by the load: how many workers were busy, on average',
      busyCpus: 'by the load: how many CPUs they used',
      queueMs: 'by the load: how long requests waited for a thread',
    },
    todo: 'After a restart the number is that of `--workers` again.',
  }),
  overloaded: event({
    levels: ['warn', 'info'],
    when: 'With `--shed auto`: a worker begins to refuse requests (`warn`), or has refused none for two seconds (`info`).',
    fields: {
      ...worker,
      state: '`entered` or `left`',
      running: 'requests in progress',
      limit: 'how many there may be; null if they are refused for their waiting time alone',
      requestMs: 'how long a request takes, on average',
      shed: 'how many were refused since it began',
    },
    todo: 'If it lasts: more workers, more machines, or less work for each request.',
  }),
  reload_started: event({
    levels: ['info'],
    when: 'A reload is asked for, or, by USR2, a new master.',
    fields: {
      ...origin,
      count: 'further requests for it that came while the configuration was read',
      successor: 'the pid of the new master',
    },
    todo: nothing,
  }),
  canary_started: event({
    levels: ['info'],
    when: 'With `--canary`: the first worker of a new generation serves beside the old ones.',
    fields: {
      generation: 'the new one',
      workers: 'how many of it serve',
      seconds: 'how long the trial takes, at the least',
    },
    todo: nothing,
  }),
  canary_judged: event({
    levels: ['info', 'error'],
    when: 'The trial of a new generation is over. `error`: it was worse, and is rolled back.',
    fields: {
      generation: 'the one that was tried',
      outcome: '`no_worse`, `worse`, or `unknown` for too little traffic, which counts as good',
      faults: 'a list of `crashes`, `errors` and `latency`',
      seconds: 'how long the trial took',
      fresh: 'its figures: `requests`, `errors`, `crashes`, `p95Ms`',
      old: 'those of the old generation in the same time',
    },
    todo: 'Where it was worse, compare `fresh` with `old`, mend the release, and reload again.',
  }),
  reload_finished: event({
    levels: ['info'],
    when: 'All that connects reaches workers of the new generation.',
    fields: { workers: 'how many', generation: 'the new one' },
    todo: nothing,
  }),
  reload_failed: event({
    levels: ['error', 'warn'],
    when: 'The configuration is bad, or a new worker does not boot: the old generation goes on serving. Under `--reload`, requests get the error. After USR2: there is no new master, or (`warn`) it has exited.',
    fields: {
      ...failure,
      ...origin,
      reason:
        '`canary`, if it was worse in its trial; `watch_after`, if it went bad after its roll-out, and the one before takes its place again',
      generation: 'the one that went bad',
      faults: 'a list of `crashes` and `errors`',
      fresh: 'its figures: `requests`, `errors`, `crashes`, and in how many `seconds`',
      old: 'those of the generation before, in its last five minutes',
      successor: 'the pid of the new master',
      code: 'its exit code, or null',
    },
    todo: 'Mend what `error` says, and reload again.',
  }),
  request_timeout: event({
    levels: ['warn'],
    when: 'A request has taken longer than `--request-timeout`; or requests ran when the `--graceful-timeout` of their worker was over, and were cut.',
    fields: {
      ...request,
      requestId: 'also in the access log',
      ms: 'for how long',
      outcome: 'what its client got',
      stack: 'where its code was; or that it waits, or why it is not known',
      cut: 'how many were cut at the end of `--graceful-timeout`',
      requests: 'those that were running, or that were cut: `method`, `path`, `ms`; at most 20',
    },
    todo: 'Look at `stack`. If the work must take this long, call `tsgun.extendDeadline`.',
  }),
  request_failed: event({
    levels: ['error'],
    when: 'The app threw, or broke a rule of its interface.',
    fields: { ...request, requestId: 'also in the access log', outcome: 'what its client got', ...failure },
    todo: 'Mend what `stack` points at.',
  }),
  request_slow: event({
    levels: ['warn'],
    when: 'A request has taken longer than `--slow-request`.',
    fields: {
      ...worker,
      ...request,
      ms: 'until now',
      stack: 'where its code is',
      profile: 'the file of a CPU profile of that moment',
    },
    todo: 'See [slow requests](hung-workers.md).',
  }),
  shutdown_started: event({
    levels: ['info', 'warn'],
    when: 'tsgun is asked to stop; with `--drain-delay`, again when the delay is over. `warn`: it is asked once more, and kills the workers that are left.',
    fields: { ...origin, workers: 'how many there are', drainDelayMs: 'how long it serves on, with `--drain-delay`' },
    todo: nothing,
  }),
  shutdown_finished: event({
    levels: ['info'],
    when: 'All workers have gone, and tsgun ends. It is the last line.',
    fields: { exitCode: 'of tsgun', uptimeMs: 'of the master', requests: 'answered in all' },
    todo: 'For an exit code that is not 0, see the `fatal` line before it.',
  }),
  log_dropped: event({
    levels: ['warn'],
    when: 'A log or output could not be written for so long that lines were dropped. It stands in their place.',
    fields: {
      stream: '`stdout`, `stderr` or the file',
      dropped: 'how many lines',
      droppedBytes: 'their size',
    },
    todo: 'Make room on the disk, or read the pipe faster.',
  }),
  out_of_descriptors: event({
    levels: ['warn'],
    when: 'A process has no file descriptor left. At most once a minute.',
    fields: {
      ...worker,
      where: '`accept`, `room`, `app` or `fork`',
      limit: 'of the process',
      connections: 'for which there is room',
      repeated: 'how often it was not logged',
    },
    todo: 'Raise the limit: `ulimit -n`, or `LimitNOFILE=` of systemd.',
  }),
  connections_full: event({
    levels: ['warn'],
    when: 'A worker holds as many connections as it may: `--worker-connections`, or what the descriptor limit leaves. At most once a minute.',
    fields: { ...worker, connections: 'the limit', repeated: 'how often it was not logged' },
    todo: 'More workers, or a higher limit.',
  }),
  certificate_loaded: event({
    levels: ['info', 'warn'],
    when: 'A certificate is in use from now on. As a warning: it ends within 14 days, or has ended; then once a day.',
    fields: { file: 'as set', names: 'the hosts that it is for', expires: 'its end', daysLeft: 'until then' },
    todo: 'For a warning: renew it. The new file is taken up by itself.',
  }),
  certificate_failed: event({
    levels: ['error'],
    when: 'Certificates have changed, and cannot be used. Those before stay in use.',
    fields: { ...worker, error: 'the file, and what is wrong with it' },
    todo: 'Mend the file. It is taken up by itself.',
  }),
};

export type LifeEvent = keyof typeof events;

/** What every line may have. */
export const commonFields = ['level', 'time', 'event', 'pid', 'msg', 'cutBytes', 'unreadable'];

export function declarationOfEvent(name: string): EventDeclaration | undefined {
  return Object.hasOwn(events, name) ? events[name as LifeEvent] : undefined;
}
