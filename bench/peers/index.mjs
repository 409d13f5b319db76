/** The peers, in the order of the tables. A new one is a file and a line. */

import bun from './bun.mjs';
import deno from './deno.mjs';
import gunicorn from './gunicorn.mjs';
import h2o from './h2o.mjs';
import nginx from './nginx.mjs';
import nodeCluster from './node-cluster.mjs';
import nodeHttp from './node-http.mjs';
import passenger from './passenger.mjs';
import pm2 from './pm2.mjs';
import puma from './puma.mjs';
import tsgun from './tsgun.mjs';
import uvicorn from './uvicorn.mjs';
import uwsgi from './uwsgi.mjs';
import watt from './watt.mjs';

/** @type {import('../lib/peer-server.mjs').Peer[]} */
export const peers = [
  ...[tsgun, nodeHttp, nodeCluster, pm2, watt, passenger, bun, deno],
  ...[gunicorn, uvicorn, uwsgi, puma, nginx, h2o],
].flat();

/** Those of `--quick`: what most people who run Node run today. */
export const quickPeers = ['tsgun', 'node-cluster-rr', 'pm2-fastify'];
