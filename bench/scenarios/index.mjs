/** The scenarios, in the order of the page. A new one is a file and a line. */

import body10k from './body-10k.mjs';
import body100k from './body-100k.mjs';
import brokenDeploy from './broken-deploy.mjs';
import certificate from './certificate.mjs';
import close from './close.mjs';
import crashes from './crashes.mjs';
import descriptors from './descriptors.mjs';
import downloads from './downloads.mjs';
import faultyDeploy from './faulty-deploy.mjs';
import fib from './fib.mjs';
import fields from './fields.mjs';
import fullDisk from './full-disk.mjs';
import gzip from './gzip.mjs';
import h2 from './h2.mjs';
import hang from './hang.mjs';
import hello from './hello.mjs';
import idle from './idle.mjs';
import json from './json.mjs';
import kills from './kills.mjs';
import leak from './leak.mjs';
import leavers from './leavers.mjs';
import lightBesideHeavy from './light-beside-heavy.mjs';
import memory from './memory.mjs';
import overload from './overload.mjs';
import pipelined from './pipelined.mjs';
import reloads from './reloads.mjs';
import slowClients from './slow-clients.mjs';
import startup from './startup.mjs';
import tenPerConnection from './ten-per-connection.mjs';
import tls from './tls.mjs';
import upload from './upload.mjs';

/**
 * @typedef {object} Column
 * @property {string} of which figure
 * @property {string} head
 * @property {(value: number) => string} [show] texts are shown as they are
 * @property {boolean} [spread] shows how far the runs were from each other
 * @property {string} [ratioTo] a peer: the column after it has the ratio to its figure
 *
 * @typedef {object} Pace
 * @property {number} rounds
 * @property {number} seconds of a measurement
 * @property {number} warmUpSeconds
 * @property {number} workers on good days
 * @property {boolean} isQuick
 *
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {string} about
 * @property {'good' | 'bad'} day
 * @property {boolean} [isMain] part of `--quick`
 * @property {Column[]} columns
 * @property {{ of: string, unit: string, better: 'more' | 'less' }} [chart]
 * @property {number} [rounds] at the most
 * @property {(pace: Pace) => number} seconds that a turn takes, roughly
 * @property {(peer: import('../lib/peer-server.mjs').Peer, pace: Pace) => Promise<Record<string, unknown>>} run
 */

/** @type {Scenario[]} */
export const scenarios = [
  ...[
    hello,
    fields,
    json,
    gzip,
    body10k,
    body100k,
    upload,
    close,
    tenPerConnection,
    pipelined,
    tls,
    h2,
    fib,
    lightBesideHeavy,
  ],
  ...[idle, memory, startup],
  ...[reloads, brokenDeploy, faultyDeploy, hang, crashes, kills, leavers, slowClients, fullDisk, descriptors, leak],
  ...[overload, downloads, certificate],
];
