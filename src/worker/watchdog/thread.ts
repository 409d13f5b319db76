/**
 * The thread that watches a worker's main thread. It reports what the main thread is doing when it stops beating, and ends the
 * process when nothing else can. It speaks to the master over a pipe of its own, in which the main thread has no part. Kept
 * small, because every worker has one.
 */

import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parentPort, workerData } from 'node:worker_threads';
import { AnswerClaims } from '../../http/wire/answer-claims.ts';
import type { AnsweredRequest, RunningRequest, WatchdogMessage, WatchdogOrder } from '../../ipc/messages.ts';
import { Allocations } from './allocations.ts';
import { describe } from './answered.ts';
import { answerClients, drainClients } from './answers.ts';
import { type Captured, Captures } from './capture.ts';
import { Examiner } from './examiner.ts';
import { closeSessions, openSession, shareSessions } from './main-sessions.ts';
import { mainThreadWaitMs, wait } from './patience.ts';
import { shareLock } from './pause-lock.ts';
import { ProfileFiles } from './profile-files.ts';
import { countRunning, readEntries, readRunning, readTable } from './requests.ts';
import { runningIn } from './running.ts';
import { cell, checkIntervalMs, pulseMs, runningExpression, stallMsOf, type WatchdogData } from './shared.ts';
import { SlowRequests, slowCheckMs } from './slow-requests.ts';
import { readAllThreads, readMainThread, ThreadTimes } from './thread-times.ts';

const { shared, requests, answers, fd, timeoutMs, longBootMs, graceMs, slowMs, profiles, watchesMemory, runsApp } =
  workerData as WatchdogData;
const cells = new Int32Array(shared);
const claims = new AnswerClaims(answers);
const stallMs = stallMsOf(timeoutMs);
const tickMs = checkIntervalMs(timeoutMs);
/**
 * How long JavaScript may take to answer before the thread counts as being in native code. The master waits a little longer.
 */
const answerMs = { hung: 300, report: 800 } as const;
/** The same on a machine on which the main thread gets no processor. Clients of a hung worker wait for their 503 meanwhile. */
const longestAnswerMs = { hung: 1000, report: 3000 } as const;
/** After this time, the answer may come from the place to which a native call has just returned. */
const slowAnswerMs = 200;
/** Clients may still send: their sockets are read once more before the process ends and closes them. */
const drainMs = 100;
/** After a silence of this length, the main thread is not asked about its other threads. */
const blockedMs = 5 * pulseMs;
/** In a worker whose time is over, this silence counts as a block: otherwise it would have ended. */
const leavingMs = 2 * pulseMs;
/** If this thread wakes this much late, neither it nor its process was running. */
const oversleptMs = Math.max(100, tickMs);

interface Stall {
  report: Pick<WatchdogMessage & { type: 'stalled' }, 'stack' | 'requests'> | undefined;
  isHung: boolean;
}

let beats = 0;
let beatAt = performance.now();
let wakeAt = beatAt;
let stall: Stall | undefined;
let excusedUntil = 0;
let isCapturing = false;
/** How often the main thread was paused in somebody else's debugger. */
let foreigners = 0;
const times = new ThreadTimes(runsApp ? readMainThread : readAllThreads);

const pipe = new Socket({ fd, readable: true, writable: true });
// Its end is what counts. A master that dies with unread messages resets it, which readline emits once more.
pipe.on('error', () => {});
const lines = createInterface({ input: pipe }).on('error', () => {});
lines.on('line', hear);
// The pipe ends when the master does.
pipe.once('close', () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs));
tick();

function say(message: WatchdogMessage): void {
  if (!pipe.destroyed) pipe.write(`${JSON.stringify(message)}\n`);
}

shareSessions(cells);
shareLock(cells);
parentPort?.on('message', closeSessions);
const captures = new Captures(openSession);
const allocations = watchesMemory ? new Allocations() : undefined;
const examiner = new Examiner({
  times,
  allocations,
  captures,
  requests: () => readTable(requests),
  running: () => runningIn(readRunning(requests), runsApp ? process.pid : undefined, times),
  isBlocked: () => performance.now() - beatAt > blockedMs,
  hasThreads: !runsApp,
  tell: say,
});
if (slowMs > 0) {
  const files = new ProfileFiles(profiles);
  const slow = new SlowRequests({ slowMs, examiner, files, tell: say, read: () => readEntries(requests) });
  setInterval(() => slow.check(), slowCheckMs(slowMs));
}

/** Reads the master's orders, one per line. */
function hear(line: string): void {
  let order: WatchdogOrder;
  try {
    order = JSON.parse(line) as WatchdogOrder;
  } catch {
    return;
  }
  if (order.type === 'excuse') excusedUntil = performance.now() + order.ms;
  else if (order.type === 'report') answer('report', stall?.report, () => isGivenUp(order.isLast));
  else void examiner.examine(order);
}

function tick(): void {
  const now = performance.now();
  const lateMs = now - wakeAt;
  if (lateMs > oversleptMs) {
    // The process was suspended or starved: the main thread did not have that time either.
    beatAt = Math.min(now, beatAt + lateMs);
    say({ type: 'excused' });
  }
  const seen = Atomics.load(cells, cell.beats);
  if (seen !== beats) {
    beats = seen;
    beatAt = now;
    stall = undefined;
  }
  // Reading the times takes system calls, and only running requests are asked about.
  if (countRunning(requests) > 0) times.look(now);
  const silentMs = now - beatAt;
  watch(silentMs);
  const left = [longBootMs, stallMs, timeoutMs].map((ms) => ms - silentMs).filter((ms) => ms > 0);
  const sleepMs = Math.ceil(Math.min(tickMs, ...left));
  wakeAt = performance.now() + sleepMs;
  setTimeout(tick, sleepMs);
}

function watch(silentMs: number): void {
  if (performance.now() < excusedUntil) return;
  const isBooting = Atomics.load(cells, cell.isBooting) === 1;
  if (silentMs >= timeoutMs && stall?.isHung !== true && !isBooting) beHung();
  else if (silentMs >= (isBooting ? longBootMs : stallMs) && stall === undefined) {
    const current: Stall = { report: undefined, isHung: false };
    stall = current;
    examine(
      // In native code, the answer comes when that returns, a moment before the next beat.
      () => stall === current,
      (report) => {
        current.report = report;
        if (!current.isHung) say({ type: 'stalled', silentMs: elapsed(), ...report });
      },
    );
  }
}

function beHung(): void {
  const current = stall ?? { report: undefined, isHung: false };
  stall = current;
  current.isHung = true;
  answer('hung', current.report, () => true);
}

/** Sends where the main thread is now, if it answers soon; otherwise where it was when the silence began. */
function answer(type: 'hung' | 'report', before: Stall['report'], isKilled: () => boolean): void {
  let isSaid = false;
  const seen = foreigners;
  const sayOnce = (report: Stall['report']) => {
    if (isSaid || foreigners > seen) return;
    isSaid = true;
    stopWaiting();
    const native = () => ({ stack: 'in native code: no JavaScript answers', requests: readTable(requests) });
    const message = { type, silentMs: elapsed(), ...(report ?? native()) };
    // Only now: where this thread was late, the silence was counted anew when it was asked.
    if (isKilled()) giveUp((answered) => say({ ...message, answered }));
    else say(message);
  };
  const patience = { ms: answerMs[type], mostMs: longestAnswerMs[type], waitedMs: mainThreadWaitMs };
  const stopWaiting = wait(patience, () => sayOnce(before));
  examine(() => true, sayOnce);
}

/** Whether the master kills the process for the silence that it asks about. `noteReported` in the master has the same rule. */
function isGivenUp(isLast: boolean): boolean {
  return elapsed() >= (isLast ? leavingMs : timeoutMs / 2);
}

/** The master kills the process once it is reported as hung. Its clients are answered before that. */
function giveUp(callHung: (answered: readonly AnsweredRequest[]) => void): void {
  const answered = answerClients(claims);
  if (answered.length === 0) return callHung([]);
  // Requests that were not read came while the main thread was silent.
  const described = describe(answered, readEntries(requests), elapsed());
  setTimeout(() => {
    drainClients(claims, answered);
    callHung(described);
  }, drainMs);
}

function elapsed(): number {
  return Math.round(performance.now() - beatAt);
}

function examine(isWanted: () => boolean, onReport: (report: NonNullable<Stall['report']>) => void): void {
  if (isCapturing) return;
  isCapturing = true;
  const askedAt = performance.now();
  captures.run({
    expression: runningExpression,
    isWanted,
    onEnd: (captured) => {
      isCapturing = false;
      if (captured !== undefined) onReport(reportOf(captured, performance.now() - askedAt));
    },
    onForeign: () => {
      isCapturing = false;
      foreigners++;
      stall = undefined;
      beatAt = performance.now();
      say({ type: 'excused' });
    },
  });
}

function reportOf({ stack, value }: Captured, tookMs: number): NonNullable<Stall['report']> {
  const requests = typeof value === 'string' ? (JSON.parse(value) as RunningRequest[]) : [];
  const note = `(it answered only after ${Math.round(tookMs)} ms: native code, garbage collection, or a busy machine)`;
  return { stack: tookMs > slowAnswerMs ? `${stack}\n${note}` : stack, requests };
}
