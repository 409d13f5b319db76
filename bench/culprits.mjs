/**
 * Whether tsgun names the right function: ten apps that leak, each in its own way, and twenty functions that take the CPU.
 * The log's `grew` must begin with the leak in at least nine of ten; the first line of `tsgun profile` must be the function in all.
 *
 *   node bench/culprits.mjs [leaks|slow]
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { judge, printMachine, printTable } from './lib/report.mjs';

const cli = new URL('../dist/cli.js', import.meta.url).pathname;
const limitMib = 140;
const patienceMs = 60_000;

/** Each is the body of a function that keeps something of `i`, of which a request makes 20,000. */
const leaks = {
  array: 'kept.push({ id: i, text: "text " + i });',
  map: 'index.set("key " + i, { id: i, at: [i, i, i] });',
  set: 'all.add({ id: i, name: "name " + i });',
  closure: 'const local = new Array(20).fill(i); later.push(() => local[0]);',
  listener: 'const big = { id: i, rows: [i, i, i, i] }; emitter.on("never", () => big);',
  'linked-list': 'state.head = { id: i, text: "node " + i, next: state.head };',
  promise: 'kept.push(new Promise((resolve) => later.push(resolve)));',
  timer: 'const row = { id: i, text: "row " + i }; setTimeout(() => row.id, 1e8).unref();',
  instances: 'kept.push(new Session(i));',
  json: 'kept.push(JSON.parse(\'{"a":[1,2,3],"b":{"c":"d"}}\'));',
};

/** Each is the body of a function that computes something of `n`, called until two seconds have passed. */
const slow = {
  fib: 'const f = (x) => (x < 2 ? x : f(x - 1) + f(x - 2)); return f(18);',
  primes:
    'let c = 0; for (let a = 2; a < 2000; a++) { let p = true; for (let b = 2; b * b <= a; b++) if (a % b === 0) p = false; if (p) c++; } return c;',
  matrix:
    'let s = 0; for (let i = 0; i < 40; i++) for (let j = 0; j < 40; j++) for (let k = 0; k < 40; k++) s += i * j - k; return s;',
  concat: 'let t = ""; for (let i = 0; i < 5000; i++) t += i; return t.length;',
  sort: 'return Array.from({ length: 2000 }, (_, i) => (i * 7919) % 2003).sort((a, b) => a - b)[0];',
  json: 'return JSON.stringify(JSON.parse(JSON.stringify({ rows: Array.from({ length: 500 }, (_, i) => ({ i, t: "x" + i })) }))).length;',
  regex: 'return "a".repeat(18).replace(/(a+)+b/, "").length;',
  split: 'return "a,b,c,".repeat(2000).split(",").map((x) => x + 1).join("").length;',
  map: 'const m = new Map(); for (let i = 0; i < 5000; i++) m.set(i % 97, (m.get(i % 97) ?? 0) + i); return m.size;',
  object: 'const o = {}; for (let i = 0; i < 3000; i++) o["k" + (i % 211)] = i; return Object.keys(o).length;',
  bits: 'let h = 0; for (let i = 0; i < 50000; i++) h = (Math.imul(h ^ i, 16777619) >>> 0) ^ (h >>> 3); return h;',
  floats: 'let s = 0; for (let i = 1; i < 20000; i++) s += Math.sin(i) * Math.sqrt(i); return s;',
  generator:
    'function* g() { for (let i = 0; i < 5000; i++) yield i; } let s = 0; for (const x of g()) s += x; return s;',
  closure:
    'const add = (a) => (b) => a + b; let s = 0; for (let i = 0; i < 20000; i++) s = add(s)(i) % 9973; return s;',
  reduce: 'return Array.from({ length: 5000 }, (_, i) => i).reduce((a, b) => (a * 31 + b) % 9973, 0);',
  typed:
    'const a = new Float64Array(4000); for (let i = 0; i < a.length; i++) a[i] = i / 3; return a.reduce((x, y) => x + y);',
  date: 'let t = 0; for (let i = 0; i < 400; i++) t += new Date(i * 1e9).toISOString().length; return t;',
  template:
    'let s = 0; for (let i = 0; i < 3000; i++) s += "".concat("<td class=", i, ">", i * 2, "</td>").length; return s;',
  spread: 'let o = {}; for (let i = 0; i < 60; i++) o = { ...o, ["k" + i]: i }; return Object.keys(o).length;',
  bigint: 'let b = 1n; for (let i = 1n; i < 300n; i++) b *= i; return String(b).length;',
};

const wanted = process.argv[2];
printMachine();
if (wanted !== 'slow') await findLeaks();
if (wanted !== 'leaks') await findSlow();

async function findLeaks() {
  const rows = [];
  for (const [name, body] of Object.entries(leaks)) {
    const app = `import { EventEmitter } from 'node:events';
const kept = []; const later = []; const index = new Map(); const all = new Set(); const state = { head: undefined };
const emitter = new EventEmitter().setMaxListeners(0);
class Session { constructor(id) { this.id = id; this.values = [id, id + 1, id + 2]; } }
function passing() { return Array.from({ length: 3000 }, (_, i) => ({ i, text: 'passing ' + i })).length; }
let serial = 0;
function culprit() { for (let count = 0; count < 20000; count++) { const i = ++serial;
  ${body}
} }
export default (env, startResponse) => {
  const many = passing();
  culprit();
  startResponse('200 OK', []);
  return [String(many)];
};
`;
    const found = await withApp(app, ['--max-worker-memory', String(limitMib)], async ({ url, waitFor }) => {
      let isOver = false;
      const asked = (async () => {
        while (!isOver) await ask(url).catch(() => {});
      })();
      const { grew } = await waitFor((line) => line.grew !== undefined);
      isOver = true;
      await asked;
      return grew;
    });
    // Its line, or one of a class that it alone makes instances of.
    const first = found?.[0]?.site ?? 'nothing';
    const isRight = /^(?:culprit|new Session|Session|.*<computed>)? ?\(?.*app\.mjs:(?:4|7|8):/.test(first);
    rows.push([name, shown(first), isRight ? 'yes' : 'no']);
  }
  report('leak', rows, 9);
}

async function findSlow() {
  const functions = Object.entries(slow).map(
    ([name, body]) => `function slow_${name.replace('-', '_')}(n) { ${body} }`,
  );
  const app = `${functions.join('\n')}
const all = { ${Object.keys(slow)
    .map((name) => `${name}: slow_${name}`)
    .join(', ')} };
function beside(n) { let s = 0; for (let i = 0; i < 50; i++) s += i ^ n; return s; }
export default (env, startResponse) => {
  const run = all[env.PATH_INFO.slice(1)];
  const end = performance.now() + 2500;
  let count = 0;
  while (run !== undefined && performance.now() < end) { run(count); beside(count++); }
  startResponse('200 OK', []);
  return [String(count)];
};
`;
  const rows = await withApp(app, ['--timeout', '60'], async ({ url, master, folder }) => {
    const list = [];
    for (const [index, name] of Object.keys(slow).entries()) {
      const asked = ask(url + name);
      const args = [
        'profile',
        '--seconds',
        '1',
        '--pid',
        String(master),
        '--output',
        join(folder, `${name}.cpuprofile`),
      ];
      const { text } = await run(args);
      await asked;
      const first = text.split('\n').find((line) => line.includes(' % ')) ?? 'nothing';
      // All of a function is on its line.
      list.push([name, shown(first.trim()), first.includes(`app.mjs:${index + 1})`) ? 'yes' : 'no']);
    }
    return list;
  });
  report('slow function', rows ?? [], Object.keys(slow).length);
}

function report(what, rows, goal) {
  printTable([[what, 'named first', 'right'], ...rows]);
  const right = rows.filter(([, , isRight]) => isRight === 'yes').length;
  judge(`${what}: ${right} of ${rows.length} right, at least ${goal}`, right >= goal);
}

function shown(text) {
  return text.replace(/\((?:file:\/\/)?\/\S*\//, '(').replaceAll('|', '/');
}

/** Starts tsgun with an app, and stops it again. */
async function withApp(app, options, use) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-culprits-'));
  writeFileSync(join(folder, 'app.mjs'), app);
  const args = [cli, 'app.mjs', '--bind', '127.0.0.1:0', '--log-format', 'json', ...options];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const lines = [];
  const waiting = new Set();
  createInterface({ input: child.stderr }).on('line', (text) => {
    // Node writes there too.
    if (text.startsWith('{')) lines.push(JSON.parse(text));
    for (const look of waiting) look();
  });
  const waitFor = (isIt) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(reject, new Error('it did not come')), patienceMs);
      const end = (settle, value) => {
        clearTimeout(timer);
        waiting.delete(look);
        settle(value);
      };
      const look = () => {
        const line = lines.find(isIt);
        if (line !== undefined) end(resolve, line);
      };
      waiting.add(look);
      look();
    });
  try {
    const { url } = await waitFor(({ event }) => event === 'listening');
    await waitFor(({ event }) => event === 'worker_ready');
    return await use({ url: `${url.replace(/\/$/, '')}/`, master: child.pid, folder, waitFor });
  } catch (error) {
    console.error(String(error));
    return undefined;
  } finally {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true });
  }
}

function ask(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}

async function run(args) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (bytes) => (text += bytes));
  await once(child, 'close');
  return { text };
}
