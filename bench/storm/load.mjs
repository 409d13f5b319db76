/**
 * The load, in a process of its own: many clients, one tally. Started with its options as JSON; says `tally` every now and
 * then, `failure` for each, and `end` when told to stop and all is answered. Obeys `stop` and `no-more-connections`.
 */

import { Client, emptyTally } from './client.mjs';

const { port, keepAlive, close, thinkers, prefix } = JSON.parse(process.argv[2]);
const longestThoughtMs = 3000;
const tallyMs = 100;

const tally = emptyTally();
const onFailure = (failure) => process.send({ type: 'failure', failure });
const atOnce = () => 0;
const afterAThought = () => 1 + Math.random() * longestThoughtMs;
const many = (count, isKeepingAlive, thinkMs) =>
  Array.from({ length: count }, () => new Client(port, isKeepingAlive, tally, onFailure, thinkMs, prefix));
const clients = [
  ...many(keepAlive, true, atOnce),
  ...many(close, false, atOnce),
  ...many(thinkers, true, afterAThought),
];

let isStopping = false;
setInterval(() => {
  for (const client of clients) client.checkTime();
  process.send({ type: 'tally', tally });
  if (isStopping && clients.every(({ isPending }) => !isPending)) end();
}, tallyMs);

process.on('message', (message) => {
  if (message === 'no-more-connections') for (const client of clients) client.stopOpening();
  if (message !== 'stop') return;
  isStopping = true;
  for (const client of clients) client.stopSending();
});
process.on('disconnect', () => process.exit());
for (const client of clients) client.open();

function end() {
  process.send({ type: 'end', tally }, () => process.exit());
}
