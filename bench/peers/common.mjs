/** What several peers share: where the apps are, and why some cannot take part in a scenario. */

import { spawnSync } from 'node:child_process';
import { serverCores } from '../lib/peer-server.mjs';
import { benchPath } from '../lib/servers.mjs';

/** @param {string} name of a file in peers/apps */
export const app = (name) => benchPath(`peers/apps/${name}`);

/** Silent for so long is hung, in seconds, for each peer that has a setting for it. */
export const hangSeconds = '10';

/** @param {readonly string[]} scenarios @param {string} why */
export const lacking = (scenarios, why) => Object.fromEntries(scenarios.map((id) => [id, why]));

/** Of gunicorn. Its answer to leaks is a number of requests: it knows no limit of memory. @param {Partial<import('../lib/peer-server.mjs').Place>} wishes */
export const gunicornOptions = ({ certificate, maxConnections, maxRequests, logTo }) => [
  ...(certificate === undefined ? [] : ['--certfile', certificate.certfile, '--keyfile', certificate.keyfile]),
  ...(maxConnections === undefined ? [] : ['--worker-connections', String(maxConnections)]),
  ...(maxRequests === undefined ? [] : ['--max-requests', String(maxRequests), '--max-requests-jitter', '50']),
  ...(logTo === undefined ? [] : ['--access-logfile', '-']),
];

/** What the apps for Node listen by. @param {Partial<import('../lib/peer-server.mjs').Place>} place */
export const listening = ({ port, certificate, isHttp2 }) => ({
  PORT: String(port),
  ...(certificate && { CERTFILE: certificate.certfile, KEYFILE: certificate.keyfile }),
  ...(isHttp2 && { HTTP2: 'yes' }),
});

/** For a server that runs none. */
export const needsApp = ['json', 'gzip', 'fib', 'light-beside-heavy', 'upload'];

/** For a server that does not speak TLS itself. */
export const needsTls = ['tls', 'h2', 'certificate'];

export const badDays = [
  ...['reloads', 'broken-deploy', 'faulty-deploy', 'hang', 'crashes', 'kills', 'leavers', 'slow-clients', 'full-disk'],
  ...['descriptors', 'leak', 'overload', 'downloads'],
];

/** A command of the peer's own, on the server's cores: a deploy is work of the machine that serves. */
export function carryOut(server, command) {
  const options = { env: server.env, cwd: server.place.folder, encoding: 'utf8', timeout: 60_000 };
  const { status, stdout, stderr } = spawnSync('taskset', ['-c', serverCores, ...command], options);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stdout}${stderr}`);
}
