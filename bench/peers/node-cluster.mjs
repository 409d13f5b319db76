import { app, listening } from './common.mjs';

/** @returns {import('../lib/peer-server.mjs').Peer} */
function nodeCluster(policy, name, about) {
  return {
    id: `node-cluster-${policy}`,
    ...{ name, about, kind: 'Node' },
    find: () => ({ Node: process.versions.node }),
    command: ({ workers, ...place }) => ({
      command: [process.execPath, app('cluster.mjs'), String(workers), policy],
      env: listening(place),
    }),
  };
}

export default [
  nodeCluster(
    'rr',
    'node:cluster',
    'the master accepts (SCHED_RR); a dead worker is forked anew, HUP replaces one by one',
  ),
  nodeCluster('none', 'node:cluster, SCHED_NONE', 'the same, but the workers accept'),
];
