/** Certificates that are renewed under load. */

import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { badDayColumns, count, onABadDay, seconds, underLoad } from '../lib/bad-day.mjs';
import { makeCertificate } from '../lib/certificate.mjs';
import { quantile } from '../lib/statistics.mjs';

const renewals = { full: 10, quick: 3 };
const pauseMs = 1000;
const patienceMs = 15_000;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'certificate',
  title: 'Certificates renewed',
  about:
    'ten times the files of the certificate are replaced, as certbot does, and the server is told to reload where it does not see that itself; 100 requests per second over TLS, each on a connection of its own',
  day: 'bad',
  rounds: 3,
  columns: [
    ...badDayColumns,
    { of: 'renewed', head: 'renewals shown', show: count },
    { of: 'shownAfter', head: 'after (median)', show: seconds },
  ],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => 8 + 3 * (isQuick ? renewals.quick : renewals.full),
  run: (peer, { isQuick }) =>
    onABadDay(
      peer,
      (server) =>
        underLoad(server, async () => {
          const times = [];
          for (let number = 1; number <= (isQuick ? renewals.quick : renewals.full); number++) {
            await sleep(pauseMs);
            const startedAt = performance.now();
            const name = `renewed-${number}.example`;
            replace(server, name);
            if (peer.renewsItself !== true) await Promise.resolve(server.reload()).catch(() => {});
            if (!(await isShown(server.port, name))) break;
            times.push((performance.now() - startedAt) / 1000);
          }
          return { renewed: times.length, ...(times.length > 0 && { shownAfter: quantile(times, 0.5) }) };
        }),
      { isSecure: true },
    ),
};

/** The key first: until the certificate has come too, the pair does not fit. */
function replace({ place }, name) {
  const folder = join(place.folder, name);
  mkdirSync(folder);
  const { certfile, keyfile } = makeCertificate(folder, name);
  renameSync(keyfile, place.certificate.keyfile);
  renameSync(certfile, place.certificate.certfile);
}

/** Five times in a row: with several workers, all of them should have it. */
async function isShown(port, name) {
  const deadline = performance.now() + patienceMs;
  for (let times = 0; times < 5; ) {
    if (performance.now() > deadline) return false;
    const names = await namesOf(port);
    times = names.includes(name) ? times + 1 : 0;
    await sleep(20);
  }
  return true;
}

/** @returns {Promise<string>} empty where nobody answers */
function namesOf(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, timeout: 2000 });
    const end = (names) => {
      socket.destroy();
      resolve(names);
    };
    socket.once('secureConnect', () => end(socket.getPeerCertificate().subjectaltname ?? ''));
    socket.on('error', () => end('')).on('timeout', () => end(''));
  });
}
