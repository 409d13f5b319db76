/** Scenarios in which workers die. What they had in hand is lost; nothing else may be. */

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { wallMs } from './client.mjs';
import { goodApp } from './server.mjs';

/** A death is seen by its clients, and in the log, a little later than it happens, or a little earlier than we note it. */
const slackMs = 1000;

/**
 * Whether a failure was on a connection of a worker that died: of the one that had answered on it, or, where none had yet,
 * of any, during its life.
 * @param {import('./client.mjs').Failure} failure
 * @param {readonly { pid: number, at: number }[]} deaths
 */
function isExplained({ pid, openedAt, at, kind }, deaths) {
  if (kind === 'not 2xx' || kind === 'wrong body' || kind === 'timeout' || kind === 'refused') return false;
  return deaths.some((death) => {
    const isInTime = death.at >= openedAt - (pid === 0 ? 0 : slackMs) && death.at <= at + slackMs;
    return isInTime && (pid === 0 || death.pid === pid);
  });
}

function judgeFailures(storm, load, deaths) {
  const unexplained = load.failures.filter((failure) => !isExplained(failure, deaths));
  const claim = `of ${load.tally.sent} requests, ${load.failures.length} failed, all on connections of workers that died`;
  storm.verdict(`${claim}; ${unexplained.length} others`, unexplained.length === 0 && load.tally.ok > 0);
}

export const kill9 = {
  what: 'one of 4 workers killed with -9 every 100 ms for 10 s',
  async run(storm) {
    const target = 4;
    const server = await storm.start(['--workers', String(target)]);
    await server.event('worker_ready', target);
    const load = storm.load(server);
    await load.answered(1000);
    const kills = [];
    const endAt = wallMs() + 10_000;
    for (let turn = 0; wallMs() < endAt; turn++) {
      const killed = new Set(kills.map(({ pid }) => pid));
      const candidates = server.ready().filter((pid) => !killed.has(pid));
      const pid = candidates[turn % candidates.length];
      if (pid !== undefined) {
        kills.push({ pid, at: wallMs() });
        server.signal('SIGKILL', pid);
      }
      await sleep(100);
    }
    const last = kills.at(-1);
    const killed = new Set(kills.map(({ pid }) => pid));
    await server.until(() => server.ready().filter((pid) => !killed.has(pid)).length >= target, 'whole pool');
    const wholeAfter = wallMs() - last.at;
    await load.answered(load.tally.ok + 2000);
    await load.stop();
    storm.say(`${kills.length} workers killed; the pool was whole ${wholeAfter.toFixed(0)} ms after the last\n`);
    judgeFailures(storm, load, kills);
    storm.verdict('the pool is whole within a second of the last kill', wholeAfter <= 1000);
    storm.verdict('every exit is in the log as killed', hasAll(server, killed));
    storm.verdict('no zombie', server.zombies().length === 0);
  },
};

function hasAll(server, killed) {
  const exits = server.lines('worker_exited').filter(({ reason }) => reason === 'killed');
  return [...killed].every((pid) => exits.some((line) => line.pid === pid));
}

export const crashLoop = {
  what: 'an app that exits after a second of service, under load',
  async run(storm) {
    const crashes = 5;
    // One worker, so that TTOU changes nothing and only shows that the master hears.
    const server = await storm.start(['--workers', '1'], `${goodApp('v1')}setTimeout(() => process.exit(7), 1000);\n`);
    const load = storm.load(server);
    const waits = [];
    while (server.lines('worker_exited').length < crashes) {
      waits.push(await timeToAnswer(server, waits.length));
      await sleep(250);
    }
    await server.event('worker_spawned', crashes);
    await load.stop();
    const stopAt = wallMs();
    server.signal('SIGTERM');
    const { code } = await server.exited();
    const stopMs = wallMs() - stopAt;

    const pauses = pausesOf(server);
    storm.say(`pauses from exit to spawn: ${pauses.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`);
    storm.say(`signals: ${waits.length} sent, each in the log after ${Math.max(...waits).toFixed(0)} ms at most\n`);
    const deaths = server.lines('worker_exited').map(({ pid, readAt }) => ({ pid, at: readAt }));
    judgeFailures(storm, load, deaths);
    const grows = pauses.slice(1).every((ms, index) => ms > pauses[index]);
    storm.verdict('the pauses grow', pauses.length >= crashes - 1 && grows);
    storm.verdict('the master hears every signal within a second', Math.max(...waits) < 1000);
    storm.verdict(`TERM ends it with 0, after ${stopMs.toFixed(0)} ms`, code === 0);
  },
};

/** From a signal to its line in the log, in milliseconds. */
async function timeToAnswer(server, count) {
  const at = wallMs();
  server.signal('SIGTTOU');
  const lines = () => server.log.filter(({ signal }) => signal === 'SIGTTOU');
  await server.until(() => lines().length > count, 'answer to TTOU', 5000);
  return lines()[count].readAt - at;
}

function pausesOf(server) {
  const exits = server.lines('worker_exited');
  const spawns = server.lines('worker_spawned');
  // The one that a crash makes necessary comes after it, and with one worker they alternate.
  return exits.slice(0, spawns.length - 1).map(({ readAt }, index) => spawns[index + 1].readAt - readAt);
}

export const hung = {
  what: 'one of 4 workers in an endless loop, --timeout 2, while 10,000 timers are awaited',
  async run(storm) {
    const server = await storm.start(['--workers', '4', '--timeout', '2']);
    await server.event('worker_ready', 4);
    const load = storm.load(server);
    await load.answered(1000);
    // 400 requests of 25 timers each.
    const slow = await Promise.all(Array.from({ length: 400 }, () => exchange(server.port, '/slow/25/20000')));
    const before = load.tally.ok;
    const hungAt = wallMs();
    const hanging = await exchange(server.port, '/hang', false);
    const { pid, readAt: foundAt } = await server.event('worker_hung');
    const during = load.tally.ok - before;
    const { readAt: goneAt } = await server.event('worker_exited');
    await server.event('worker_ready', 5);
    const replacedAt = server.lines('worker_ready')[4].readAt;
    await Promise.all([hanging.ended, ...slow.map(({ ended }) => ended)]);
    await load.stop();

    const others = slow.filter((one) => one.pid !== pid);
    const done = others.filter((one) => one.text.includes('done\n'));
    const ms = (at) => `${(at - hungAt).toFixed(0)} ms`;
    storm.say(
      `worker_hung after ${ms(foundAt)}, gone after ${ms(goneAt)}, its replacement ready after ${ms(replacedAt)}`,
    );
    storm.say(`${during} requests answered meanwhile; ${slow.length - others.length} slow requests died with it\n`);
    judgeFailures(storm, load, [{ pid, at: goneAt }]);
    storm.verdict('the others serve meanwhile', during > 1000);
    storm.verdict('one worker is called hung', server.lines('worker_hung').length === 1);
    storm.verdict(
      `${done.length} of ${others.length} slow requests of other workers are answered`,
      others.length > 0 && done.length === others.length,
    );
  },
};

/** A request on a connection of its own; resolves when its answer has begun, or, without that, when it is sent. */
async function exchange(port, path, waitsForAnswer = true) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const result = { text: '', pid: 0, ended: undefined };
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  result.ended = new Promise((resolve) => socket.once('close', resolve));
  const begun = new Promise((resolve) =>
    socket.on('data', (text) => {
      result.text += text;
      result.pid = Number(/X-Pid: (\d+)/.exec(result.text)?.[1] ?? 0);
      resolve();
    }),
  );
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  if (waitsForAnswer) await Promise.race([begun, result.ended]);
  return result;
}
