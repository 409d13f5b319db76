import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownVersion } from '../lib/install.mjs';
import { app, hangSeconds } from './common.mjs';

const repository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const version = () => JSON.parse(readFileSync(repository('package.json'), 'utf8')).version;

/** @returns {import('../lib/peer-server.mjs').Peer} */
function tsgun(id, name, file, about, packages = [], options = []) {
  return {
    ...{ id, name, about, kind: 'tsgun', renewsItself: true },
    find: () => ({
      tsgun: version(),
      Node: process.versions.node,
      ...Object.fromEntries(packages.map((each) => [each, ownVersion(each)])),
    }),
    command: ({ port, workers, ...wishes }) => ({
      command: [
        ...[process.execPath, repository('dist/cli.js'), app(file), '--bind', `127.0.0.1:${port}`],
        ...['--workers', String(workers), '--timeout', hangSeconds, ...options, ...optionsOf(wishes)],
      ],
    }),
  };
}

/** @param {Partial<import('../lib/peer-server.mjs').Place>} wishes of a scenario */
function optionsOf({ certificate, canarySeconds, maxConnections, maxMemoryMib, shedsLoad, logTo }) {
  return [
    ...(certificate === undefined ? [] : ['--certfile', certificate.certfile, '--keyfile', certificate.keyfile]),
    ...(canarySeconds === undefined ? [] : ['--canary', String(canarySeconds)]),
    ...(maxMemoryMib === undefined ? [] : ['--max-worker-memory', String(maxMemoryMib)]),
    ...(maxConnections === undefined ? [] : ['--worker-connections', String(maxConnections)]),
    ...(shedsLoad === true ? ['--shed', 'auto'] : []),
    ...(logTo === undefined ? [] : ['--access-logfile', '-']),
  ];
}

export default [
  tsgun('tsgun', 'tsgun', 'wsgi.mjs', 'async workers, a WSGI app'),
  tsgun('tsgun-node', 'tsgun, node:http handler', 'handler.mjs', 'async workers, the same handler as node:http'),
  tsgun(...['tsgun-threaded', 'tsgun, threaded', 'wsgi.mjs', 'threaded workers of four threads, a WSGI app', []], [
    '--worker-class',
    'threaded',
  ]),
  tsgun('tsgun-fastify', 'tsgun, Fastify', 'fastify.mjs', 'the same program as on PM2, unchanged', ['fastify']),
  tsgun('tsgun-express', 'tsgun, Express', 'express.mjs', 'the same program as on PM2, unchanged', ['express']),
];
