/**
 * Who may import whom, type imports included: `cli → config → master → ipc ← worker → http ⇄ app`. A room is a folder of
 * src, or a file that stands beside them.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src/', import.meta.url));

/** Each room, and the rooms that it may import. Whoever adds an arrow here says in the commit why it is needed. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'cli.ts': ['control', 'descriptors.ts', 'main.ts', 'master', 'runtime.ts'],
  'main.ts': ['complaint.ts', 'config', 'errors.ts', 'log', 'logger.ts', 'master'],
  'index.ts': ['app', 'config', 'embed', 'errors.ts', 'hooks.ts', 'http', 'ipc', 'logger.ts'],
  embed: [
    'app',
    'config',
    'errors.ts',
    'hooks.ts',
    'http',
    'ipc',
    'log',
    'logger.ts',
    'master',
    'runtime.ts',
    'worker',
  ],
  'validate.ts': ['app', 'http', 'validate'],
  validate: ['app'],
  // The names of the interfaces, which are what `--interface` may say.
  // `generate.ts` writes the page of the log too.
  config: ['app', 'errors.ts', 'hooks.ts', 'log', 'typescript'],
  // The commands for a running instance print what its master and workers say.
  // The configuration may say where the instance is found.
  control: ['config', 'errors.ts', 'ipc', 'master'],
  master: [
    'app-reference.ts',
    'complaint.ts',
    'config',
    'descriptors.ts',
    'errors.ts',
    'hooks.ts',
    'ipc',
    'logger.ts',
    'node',
  ],
  ipc: ['config', 'descriptors.ts', 'errors.ts'],
  worker: ['app', 'config', 'descriptors.ts', 'errors.ts', 'hooks.ts', 'http', 'ipc', 'log', 'logger.ts', 'node'],
  app: ['app-reference.ts', 'errors.ts', 'hooks.ts', 'http', 'node', 'typescript'],
  // Apps and config files are both TypeScript.
  typescript: ['errors.ts', 'node'],
  http: ['node'],
  'hooks.ts': ['config', 'errors.ts', 'ipc', 'logger.ts'],
  'logger.ts': ['errors.ts', 'log'],
  log: ['errors.ts', 'node'],
  'errors.ts': [],
  // The master names a release by the path of its app, which a worker loads.
  'app-reference.ts': [],
  // Why a start fails is said by the command, and by the master once there is a log.
  'complaint.ts': ['errors.ts'],
  // What the processes share: master and workers count descriptors alike.
  'descriptors.ts': [],
  // Neither the command nor the library runs on Bun or Deno.
  'runtime.ts': [],
  node: [],
};

type Graph = ReadonlyMap<string, readonly string[]>;

/** Every `import` and `export … from` with a relative address, static or not, of types or values. */
const importForm = /\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g;

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(importForm)].map(([, path = '']) => posix.join(posix.dirname(file), path));
}

function readGraph(): Graph {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(src + file, 'utf8'))]));
}

const roomOf = (file: string) => file.split('/', 1)[0]!;

function wrongImports(graph: Graph): string[] {
  return [...graph].flatMap(([file, imports]) => {
    const allowed = mayImport[roomOf(file)];
    if (allowed === undefined) return [`${file}: its room is not in the table`];
    const isWrong = (room: string) => room !== roomOf(file) && !allowed.includes(room);
    return imports.filter((path) => isWrong(roomOf(path))).map((path) => `${file} imports ${path}`);
  });
}

/** The files of each circle, by Tarjan's algorithm for strongly connected components. */
function circles(graph: Graph): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    open.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (open.includes(next)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(next)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1 || graph.get(file)?.includes(file)) found.push(circle.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

const graph = readGraph();
const plant = (file: string, imports: string[]): Graph =>
  new Map([...graph, [file, [...(graph.get(file) ?? []), ...imports]]]);

describe('imports between the files of src', () => {
  it('go only where the table lets them', () => {
    expect(wrongImports(graph)).toEqual([]);
  });

  it('make no circle', () => {
    expect(circles(graph)).toEqual([]);
  });

  it('name files that exist', () => {
    const missing = [...graph].flatMap(([file, imports]) =>
      imports.filter((path) => !graph.has(path)).map((path) => `${file} imports ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it.each([
    ['http/exchange.ts', 'config/settings.ts'],
    ['master/plan.ts', 'worker/ending/exit.ts'],
    ['ipc/messages.ts', 'http/head.ts'],
  ])('a planted import is found: %s of %s', (file, path) => {
    expect(wrongImports(plant(file, [path]))).toEqual([`${file} imports ${path}`]);
  });

  it('a planted circle is found, of one file with itself too', () => {
    expect(circles(plant('master/policy.ts', ['master/master.ts'])).flat()).toContain('master/policy.ts');
    expect(circles(plant('http/date.ts', ['http/date.ts']))).toContainEqual(['http/date.ts']);
  });

  it('are found in each form that imports can have', () => {
    const text = `import type { A } from './a.ts';\nexport * from '../b.ts';\nconst c = await import('./c/d.ts');\nimport './e.ts';`;
    expect(importsOf('x/y.ts', text)).toEqual(['x/a.ts', 'b.ts', 'x/c/d.ts', 'x/e.ts']);
  });
});

/** Files over the limit. At so many lines, a file has a second concern, which goes into one of its own. */
const maxLines = 300;

function longFiles(files: ReadonlyMap<string, string>): string[] {
  return [...files]
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > maxLines)
    .map(({ file, lines }) => `${file} has ${lines} lines`);
}

describe('files of src', () => {
  it(`have at most ${maxLines} lines; the table of settings alone has more`, () => {
    const texts = new Map([...graph.keys()].map((file) => [file, readFileSync(src + file, 'utf8')]));
    expect(longFiles(texts)).toEqual([expect.stringMatching(/^config\/(?:.*\/)?settings\.ts has \d+ lines$/)]);
  });

  it('that are one line too long are found', () => {
    const texts = new Map([
      ['short.ts', '\n'.repeat(maxLines)],
      ['long.ts', '\n'.repeat(maxLines + 1)],
    ]);
    expect(longFiles(texts)).toEqual(['long.ts has 301 lines']);
  });
});

/** Where code of an app may run in the same realm. The watchdog's thread is its own; the page of a failure runs in a browser. */
const besideApps =
  /^(?:app|embed|http|ipc|log|node|worker)\/(?!watchdog\/(?:capture|examiner|thread)\.ts|failure\/page\.ts)/;
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];

/** Calls of timers that the file does not import: those of the global object. */
function globalTimers(text: string): string[] {
  const imported = [...text.matchAll(/^import \{([^}]*)\} from 'node:timers(?:\/promises)?';$/gm)].map(
    ([, names]) => names,
  );
  return timers.filter(
    (name) =>
      new RegExp(`(?<![.\\w])${name}\\((?!ms: )`).test(text) && !imported.some((names) => names!.includes(name)),
  );
}

describe('timers', () => {
  it('come from node:timers wherever an app may have replaced the global ones', () => {
    const files = [...graph.keys()].filter((file) => besideApps.test(file));
    expect(files.length).toBeGreaterThan(200);
    const wrong = files.flatMap((file) =>
      globalTimers(readFileSync(src + file, 'utf8')).map((name) => `${file} calls the global ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('of the global object are found', () => {
    expect(globalTimers("import { setTimeout } from 'node:timers';\nsetTimeout(f); a.setInterval(1)")).toEqual([]);
    expect(globalTimers("import { setTimeout } from 'node:timers';\nclearTimeout(f); setInterval(f)")).toEqual([
      'setInterval',
      'clearTimeout',
    ]);
  });
});

describe('node:http, node:crypto and node:tls', () => {
  it('are not imported by what workers load: each would be read whole, and make the boot a third longer', () => {
    const files = [...graph.keys()].filter((file) => besideApps.test(file) && !file.startsWith('embed/'));
    const imports =
      /^import (?!type )[^;]*? from 'node:(?:https?|http2|crypto|tls)'|\bimport\('node:(?:https?|http2|crypto|tls)'\)[^ ;]*;/m;
    expect(
      files.filter((file) => imports.test(readFileSync(src + file, 'utf8').replace(/^ ?\*.*|\btypeof import.*/gm, ''))),
    ).toEqual([]);
    expect(imports.test("import { a } from 'node:fs';\nimport { type B, c } from 'node:tls';")).toBe(true);
  });
});

describe('dist', () => {
  const dist = fileURLToPath(new URL('../dist/', import.meta.url));
  const staticImport = /^(?:import|export) [^;]*?from "(\.{1,2}\/[^"]+)";$/gm;
  /** What an entry loads at its start: it imports the first file when it has listened for signals. */
  const loadedBy = (entry: string, seen = new Set<string>()) => {
    const [, first] = /await import\("\.{1,2}\/(chunks\/(?:main2|work)\.js)"\)/.exec(
      readFileSync(dist + entry, 'utf8'),
    )!;
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, path] of readFileSync(dist + file, 'utf8').matchAll(staticImport))
        visit(posix.join(posix.dirname(file), path!));
    };
    visit(first!);
    return [...seen].map((file) => posix.basename(file, '.js'));
  };

  it('has the master load nothing that serves: it is 400 KB to read and compile', () => {
    expect(loadedBy('cli.js')).toContain('start');
    expect(loadedBy('cli.js')).not.toContain('serving');
  });

  it('has workers load nothing of the master, nor the table of settings', () => {
    expect(loadedBy('worker/main.js').toSorted()).toEqual(['base', 'code-cache', 'first', 'serving', 'work']);
    expect(readFileSync(`${dist}chunks/serving.code.js`, 'utf8')).not.toContain('// src/config/settings.ts');
  });
});
