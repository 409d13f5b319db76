/**
 * Random mutations of valid requests, fed to the parser at random cuts: it throws nothing but HttpError, always gets
 * further, never yields more requests than were sent, and says the same however the bytes were cut.
 *
 *   npm run mutations -- [COUNT] [--seed N] [--only INDEX]
 *
 * A mutation depends on the seed and its index alone: `--seed N --only INDEX` is one of them again, without what the parser may
 * know of heads before it. Exits 1 on a violation.
 */

import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { HttpError } from '../src/http/errors.ts';
import { KnownHeads } from '../src/http/h1/known-heads.ts';
import { RequestParser } from '../src/http/h1/parser.ts';
import { defaultLimits } from '../src/http/limits.ts';

/** Limits of everyday use, and small ones that the mutations run into. */
const limitChoices = [
  defaultLimits,
  defaultLimits,
  defaultLimits,
  { requestLineBytes: 60, fieldCount: 6, fieldBytes: 60, bodyBytes: 100 },
];
/** What the parser has read before, by limits. */
const known = new Map(limitChoices.map((limits) => [limits, new KnownHeads()]));
const reportEvery = 500_000;
/** No mutation takes a millisecond; one that takes this long is in a loop. */
const stallMs = 10_000;
const maxRequests = 4;
const maxEdits = 5;
const maxCuts = 5;
const poolRequests = 2000;
const poolMutations = 40_000;
const lineFeed = 0x0a;
const specialBytes = Buffer.from('\0\t\n\v\r \x7f\xff0,:;', 'latin1');
/** More than four requests can be. */
const scratch = Buffer.alloc(16 * 1024);
const readBuffer = Buffer.alloc(16 * 1024);
let lastPool = { seed: 0, number: -1, requests: [] };

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string' }, only: { type: 'string' } },
  });
  const count = Number(positionals[0] ?? 10_000_000);
  const seed = Number(values.seed ?? randomInt(2 ** 31));
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
    console.error('COUNT and --seed are whole numbers');
    process.exit(1);
  }
  if (values.only !== undefined) {
    const mutation = makeMutation(seed, Number(values.only));
    describeMutation(mutation);
    console.log(violationOf(mutation) ?? `fine: ${JSON.stringify(resultOf(mutation, true))}`);
    return;
  }

  console.log(`${count} mutations, seed ${seed}`);
  // A loop in the parser blocks its thread; this one looks on.
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { count, seed, progress } });
  const started = performance.now();
  let seen = -1;
  const watch = setInterval(() => {
    const now = Atomics.load(progress, 0);
    if (now === seen) fail(seed, now, `no result after ${stallMs / 1000} s`);
    seen = now;
  }, stallMs);
  worker.on('error', (error) => fail(seed, Atomics.load(progress, 0), `the bench failed: ${error.stack}`));
  worker.on('message', ({ done, tally, violation }) => {
    if (violation !== undefined) fail(seed, done, violation);
    const rate = Math.round(done / ((performance.now() - started) / 1000));
    console.log(`${done} mutations, ${rate} a second; ${tally}`);
    if (done < count) return;
    clearInterval(watch);
    console.log(`No violation in ${count} mutations (Node ${process.version}, seed ${seed}).`);
  });
}

/** @returns {never} */
function fail(seed, index, violation) {
  console.error(`Violation in mutation ${index}: ${violation}`);
  describeMutation(makeMutation(seed, index));
  console.error(`Again: npm run mutations -- --seed ${seed} --only ${index}`);
  process.exit(1);
}

function describeMutation({ bytes, cuts, sent, limits }) {
  console.log(`${sent} requests sent, ${bytes.length} bytes, cut at ${cuts.join(', ') || 'no place'}`);
  console.log(`limits: ${JSON.stringify(limits)}`);
  console.log(JSON.stringify(bytes.toString('latin1')));
}

function work({ count, seed, progress }) {
  // Most mutations end in an error whose stack nobody reads; --only shows it.
  Error.stackTraceLimit = 0;
  const tally = new Map();
  for (let index = 0; index < count; index++) {
    Atomics.store(progress, 0, index);
    const mutation = makeMutation(seed, index);
    const violation = violationOf(mutation, tally);
    if (violation !== undefined) {
      parentPort.postMessage({ done: index, violation });
      return;
    }
    if ((index + 1) % reportEvery === 0 || index + 1 === count)
      parentPort.postMessage({ done: index + 1, tally: tallyText(tally) });
  }
}

/** How they ended: a mutation that breaks nothing proves little, and neither does one that always breaks all. */
function tallyText(tally) {
  const sorted = [...tally].sort(([one], [other]) => one - other);
  return sorted.map(([status, times]) => `${status === 0 ? 'unbroken' : status}: ${times}`).join(', ');
}

/** @returns {string | undefined} */
function violationOf(mutation, tally) {
  let cut;
  try {
    cut = resultOf(mutation, true);
    const whole = resultOf(mutation, false);
    const difference = Object.keys(whole).find((key) => whole[key] !== cut[key]);
    if (difference !== undefined) return `${difference}: ${whole[difference]} whole, ${cut[difference]} cut`;
  } catch (error) {
    return error instanceof Error ? error.stack : `threw ${String(error)}`;
  }
  tally?.set(cut.status, (tally.get(cut.status) ?? 0) + 1);
  if (cut.heads > mutation.sent) return `${cut.heads} requests out of ${mutation.sent}`;
  if (cut.heads - cut.ends > 1 || cut.ends > cut.heads) return `${cut.heads} heads and ${cut.ends} ends`;
  if (cut.bodyBytes > mutation.bytes.length) return `${cut.bodyBytes} bytes of body out of ${mutation.bytes.length}`;
  return undefined;
}

/** What a connection that serves on would see of it. @throws anything but HttpError */
function resultOf({ bytes, cuts, limits }, isCut) {
  const result = { heads: 0, ends: 0, bodyBytes: 0, bodySum: 0, last: '', status: 0, message: '' };
  const sink = {
    onHead(head) {
      result.heads++;
      const { method, target, host, contentLength, isKeepAlive, names, values } = head;
      const lines = names.map(({ raw }, index) => `${raw}: ${values[index]}`);
      result.last = [method, target, host, contentLength, isKeepAlive, ...lines].join('\n');
    },
    onBody(bytes, start, end) {
      result.bodyBytes += end - start;
      for (let index = start; index < end; index++) result.bodySum = (Math.imul(result.bodySum, 31) + bytes[index]) | 0;
    },
    onEnd() {
      result.ends++;
    },
  };
  // Cut ones are read anew each time: both must come to the same.
  const parser = new RequestParser(limits, sink, undefined, isCut ? undefined : known.get(limits));
  try {
    let from = 0;
    for (let index = 0; index <= cuts.length; index++) {
      const to = isCut && index < cuts.length ? cuts[index] : bytes.length;
      // As a connection does, every piece into the same memory, so that a view kept for too long shows.
      const end = bytes.copy(readBuffer, 0, from, to);
      from = to;
      for (let position = 0; position < end; ) {
        const before = position;
        position = parser.feed(readBuffer, position, end);
        if (!(position > before && position <= end)) throw new Error(`fed ${before} to ${end}, stopped at ${position}`);
      }
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    result.status = error.status;
    result.message = error.message;
  }
  return result;
}

/**
 * One to four valid requests, and one to five edits of a few bytes: too little to make the `HTTP/1.1` of a request line
 * where none was sent, since no other part has a letter of it. The bytes are valid until the next one is made.
 */
function makeMutation(seed, index) {
  const pool = poolOf(seed, Math.floor(index / poolMutations));
  const random = seededRandom(mixed(seed, index));
  const sent = 1 + below(random, maxRequests);
  let length = 0;
  for (let request = 0; request < sent; request++) length += pick(random, pool).copy(scratch, length);
  const edits = 1 + below(random, maxEdits);
  for (let edit = 0; edit < edits; edit++) length = applyEdit(scratch, length, random);
  const bytes = scratch.subarray(0, length);
  const cuts = [];
  for (let left = below(random, maxCuts + 1); left > 0; left--) cuts.push(cutPlace(bytes, random));
  return { bytes, cuts: cuts.sort((one, other) => one - other), sent, limits: pick(random, limitChoices) };
}

/** Half of the cuts are close to a line's end, where cuts hurt. */
function cutPlace(bytes, random) {
  const anywhere = below(random, bytes.length + 1);
  if (random() < 0.5) return anywhere;
  const lineEnd = bytes.indexOf(lineFeed, anywhere);
  return lineEnd === -1 ? anywhere : Math.max(0, lineEnd + below(random, 3) - 1);
}

/** @returns the new length */
function applyEdit(bytes, length, random) {
  const at = below(random, length + 1);
  const kind = below(random, 11);
  if (kind === 0) return at;
  if (kind < 4) {
    const next = Math.min(length, at + 1 + below(random, 9));
    bytes.copyWithin(at, next, length);
    return length - (next - at);
  }
  const byte = random() < 0.5 ? below(random, 256) : pick(random, specialBytes);
  if (kind < 7) {
    bytes.copyWithin(at + 1, at, length);
    bytes[at] = byte;
    return length + 1;
  }
  bytes[at] = byte;
  return Math.max(length, at + 1);
}

/** Making a request costs more than parsing it, so each is in several mutations, beside others and edited elsewhere. */
function poolOf(seed, number) {
  if (lastPool.seed !== seed || lastPool.number !== number) {
    const random = seededRandom(mixed(~seed, number));
    const requests = Array.from({ length: poolRequests }, () => Buffer.from(makeRequest(random), 'latin1'));
    lastPool = { seed, number, requests };
  }
  return lastPool.requests;
}

/** A seed for each number, none close to the next. */
function mixed(seed, number) {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) | 0;
}

const tokenAlphabet = "abcXYZ019!#$%&'*+-.^_`|~";
const targetAlphabet = 'abz019/-._~%?=&;:@{}|';
const valueAlphabet = 'ab 01\t,;:="\\\xe9\xff';
const bodyAlphabet = 'ab\r\n\0\xff:;0';

function makeRequest(random) {
  const version = random() < 0.9 ? 'HTTP/1.1' : 'HTTP/1.0';
  const [framing, body] = makeBody(random, version === 'HTTP/1.1' ? 3 : 2);
  const lines = [
    `${pick(random, ['Host', 'host', 'HOST'])}: ${pick(random, ['example.org', 'a:80', '[::1]:8080', ''])}\r\n`,
    framing,
    pick(random, ['', '', 'Connection: x, keep-alive\r\n', 'Expect: 100-continue\r\n', 'X_a: 1\r\n']),
    makeFields(random, 4),
  ];
  const first = below(random, lines.length);
  const fields = [...lines.slice(first), ...lines.slice(0, first)].join('');
  const emptyLines = '\r\n'.repeat(random() < 0.8 ? 0 : below(random, 4));
  const method =
    random() < 0.7 ? pick(random, ['GET', 'POST', 'HEAD', 'OPTIONS']) : makeText(random, tokenAlphabet, 1, 8);
  const authority = random() < 0.9 ? '' : `http://${pick(random, ['example.org', '[::1]:80'])}`;
  const target = `${authority}/${makeText(random, targetAlphabet, 0, 20)}`;
  return `${emptyLines}${method} ${target} ${version}\r\n${fields}\r\n${body}`;
}

/** Chunks are for HTTP/1.1 alone. @returns {[framing: string, body: string]} */
function makeBody(random, kinds) {
  const kind = below(random, kinds);
  if (kind === 0) return ['', ''];
  if (kind === 1) {
    const body = makeText(random, bodyAlphabet, 0, 40);
    return [`Content-Length: ${pick(random, ['', '', '0'])}${body.length}\r\n`, body];
  }
  let body = '';
  for (let chunks = below(random, 4); chunks > 0; chunks--) {
    const data = makeText(random, bodyAlphabet, 1, 30);
    const extension = random() < 0.7 ? '' : pick(random, [';a', ';a=b', ' ; a = "q\\"\xff"', ';a;b=1;c']);
    body += `${data.length.toString(16)}${extension}\r\n${data}\r\n`;
  }
  return ['Transfer-Encoding: chunked\r\n', `${body}0\r\n${random() < 0.7 ? '' : makeFields(random, 3)}\r\n`];
}

function makeFields(random, max) {
  let fields = '';
  for (let left = below(random, max + 1); left > 0; left--)
    fields += `x-${makeText(random, tokenAlphabet, 1, 8)}:${pick(random, ['', ' ', '\t '])}${makeText(random, valueAlphabet, 0, 20)}\r\n`;
  return fields;
}

function makeText(random, alphabet, min, max) {
  let text = '';
  for (let left = min + below(random, max - min + 1); left > 0; left--) text += pick(random, alphabet);
  return text;
}

function below(random, limit) {
  return Math.floor(random() * limit);
}

function pick(random, choices) {
  return choices[below(random, choices.length)];
}

/** mulberry32: numbers from 0 to 1 */
function seededRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (isMainThread) await main();
else work(workerData);
