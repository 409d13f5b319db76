/** Scenarios in which workers come and go because they are told to. Nothing may be lost in any of them. */

import { setTimeout as sleep } from 'node:timers/promises';
import { wallMs } from './client.mjs';
import { goodApp, knows } from './server.mjs';

const workers = ['--workers', '2'];

export const hup = {
  what: '20 reloads, one after the other, and at least 100,000 requests',
  async run(storm) {
    const server = await storm.start(workers);
    const load = storm.load(server);
    await load.answered(1000);
    for (let round = 1; round <= 20; round++) {
      server.write('app.mjs', goodApp(`v${round + 1}`));
      server.signal('SIGHUP');
      await server.event('reload_finished', round);
    }
    await load.answered(Math.max(100_000, load.tally.ok + 1000));
    await load.stop();
    storm.nothingLost(load);
    storm.verdict('the last version is served', load.tally.versions.v21 > 0);
  },
};

export const ttinTtou = {
  what: 'TTIN and TTOU every 200 ms between 2 and 4 workers, a reload every 2 s, for 20 s',
  async run(storm) {
    const server = await storm.start(workers);
    const load = storm.load(server);
    await load.answered(1000);
    const steps = ['SIGTTIN', 'SIGTTIN', 'SIGTTOU', 'SIGTTOU'];
    for (let tick = 0; tick < 100; tick++) {
      server.signal(steps[tick % 4]);
      if (tick % 10 === 9) server.signal('SIGHUP');
      await sleep(200);
    }
    await load.stop();
    const { length } = server.lines('reload_finished');
    storm.nothingLost(load);
    storm.verdict(`reloads come to an end meanwhile: ${length} of 10`, length > 0);
  },
};

export const recycle = {
  what: 'workers recycled after about 2,000 requests, for 20 s',
  needs: '--max-requests ',
  async run(storm) {
    const server = await storm.start([...workers, '--max-requests', '2000', '--max-requests-jitter', '200']);
    const load = storm.load(server);
    await sleep(20_000);
    await load.stop();
    const recycled = server.lines('worker_exited').filter(({ reason }) => reason === 'max_requests');
    storm.say(`${recycled.length} workers recycled\n`);
    storm.nothingLost(load);
    storm.verdict('workers were recycled, and for no other reason', recycled.length > 1 && hasOnly(server, recycled));
  },
};

const hasOnly = (server, exits) => server.lines('worker_exited').length === exits.length;

export const usr2 = {
  what: 'USR2 to a new master, then WINCH and TERM to the old one',
  needs: '--pidfile ',
  async run(storm) {
    const server = await storm.start([...workers, '--pidfile', 'pid']);
    const load = storm.load(server);
    await load.answered(1000);
    const old = server.pid;
    server.write('app.mjs', goodApp('v2'));
    server.signal('SIGUSR2');
    const next = await newMaster(server, old);
    storm.verdict('a second master writes the pidfile, the first keeps FILE.2', next !== undefined);
    if (next === undefined) return load.stop();
    await server.until(() => server.lines('worker_ready').length >= 4, 'workers of the new master');
    server.signal('SIGWINCH');
    await server.until(() => server.lines('worker_exited').length >= 2, 'the old workers’ exit');
    server.signal('SIGTERM');
    const { code } = await server.exited();
    const before = load.tally.versions.v2 ?? 0;
    await sleep(2000);
    await load.stop();
    storm.nothingLost(load);
    storm.verdict('the old master exits with 0', code === 0);
    storm.verdict('the new one serves the new version', load.tally.versions.v2 > before);
    process.kill(next, 'SIGTERM');
    const isGone = await within(10_000, () => !isThere(next));
    storm.verdict('the new master stops at TERM, its workers too', isGone && server.leftBehind().length === 0);
    if (!isGone) process.kill(next, 'SIGKILL');
  },
};

/** The pid in the pidfile, once it is another's than the old master's, which by then is in FILE.2. */
async function newMaster(server, old) {
  let next;
  await within(10_000, () => {
    const pid = Number(server.read('pid'));
    if (pid > 0 && pid !== old && Number(server.read('pid.2')) === old) next = pid;
    // gunicorn leaves the old pid in FILE until the old master has gone, and the new one writes FILE.2.
    if (pid === old && Number(server.read('pid.2')) > 0) next = Number(server.read('pid.2'));
    return next !== undefined;
  });
  return next;
}

async function within(ms, condition) {
  const deadline = wallMs() + ms;
  while (!condition()) {
    if (wallMs() > deadline) return false;
    await sleep(50);
  }
  return true;
}

function isThere(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const badApps = {
  'an app that throws as it loads': ["throw new Error('not today');\n", /not today/],
  'an app that never gets ready': ['await new Promise(() => setInterval(() => {}, 1000));\n', /bootTimeout/],
  'an app with a syntax error': ['export default (;\n', /SyntaxError|Unexpected|failed to load/],
};

export const badReload = {
  what: 'reloads that fail (the app three times, the config file twice), each followed by a good one',
  async run(storm) {
    const goodConfig = JSON.stringify({ workers: 2, bootTimeout: 3 });
    const badConfigs = {
      'a config file that is no JSON': ['{', /cannot be loaded/],
      'a config file with a bad value': ['{"workers": "four"}', /workers: expected/],
    };
    const server = await storm.prepareServer();
    server.write('tsgun.config.json', goodConfig);
    server.spawn([]);
    await server.event('listening');
    const load = storm.load(server);
    await load.answered(1000);
    let version = 1;
    let finished = 0;
    for (const [what, [text, reason]] of [...Object.entries(badApps), ...Object.entries(badConfigs)]) {
      server.write(text.startsWith('{') ? 'tsgun.config.json' : 'app.mjs', text);
      const before = Object.keys(load.tally.versions);
      const failed = server.lines('reload_failed').length;
      server.signal('SIGHUP');
      const { error } = await server.event('reload_failed', failed + 1);
      await load.answered(load.tally.ok + 2000);
      const served = Object.keys(load.tally.versions);
      storm.verdict(
        `${what}: the log says why, the old version goes on`,
        reason.test(error) && `${served}` === `${before}`,
      );
      storm.say(`- ${what}: ${error}`);

      version++;
      server.write('tsgun.config.json', goodConfig);
      server.write('app.mjs', goodApp(`v${version}`));
      server.signal('SIGHUP');
      await server.event('reload_finished', ++finished);
      await load.answered(load.tally.ok + 2000);
      storm.verdict(`after it, v${version} is served`, load.tally.versions[`v${version}`] > 0);
    }
    storm.say('');
    await load.stop();
    storm.nothingLost(load);
  },
};

export const isReady = (scenario) => scenario.needs === undefined || knows(scenario.needs);
