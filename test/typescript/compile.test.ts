import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/typescript/compile.ts';
import { projectOf } from '../../src/typescript/options.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { options } = projectOf('/no/project/file.ts');

/** Runs CommonJS code; `at(line)` in it notes where it stands. */
function run(source: string, path = '/project/file.ts', given: object = {}) {
  const { code } = compile(source, path, 'commonjs', options);
  const exports: Record<string, unknown> = {};
  const wrong: string[] = [];
  const at = (line: number) => {
    const stack = new Error().stack!.split('\n')[2]!;
    const found = Number(/file\.tsx?:(\d+):/.exec(stack)?.[1]);
    if (found !== line) wrong.push(`written on ${line}, said to be on ${found}`);
    return line;
  };
  const scope: Record<string, unknown> = { exports, module: { exports }, at, ...given };
  compileFunction(code, Object.keys(scope), { filename: path })(...Object.values(scope));
  return { exports, wrong };
}

const everywhere = `interface Before {
  a: string;
}
type Also = Before | undefined;

enum Color { Red = at(6), Green = 'green'.length }
const list = [
  at(8),

  // a comment
  ...[at(11)], /* another
  one */ at(12),
];
@mark(0)
class Base<T> {
  static first: number = at(16);
  declare ignored: string;
  @mark(0) field?: Also; second = at(18);
  constructor(
    private readonly third: T,
    public fourth = at(21),
  ) {
    at(23);
  }

  abstractLike?(): void;
  method<U>(
    this: Base<T>,
    ...rest: U[]
  ): U | undefined {
    if (rest.length === 0)
      return (
        at(33),
        undefined
      );
    return rest[0]! as U;
  }
}
namespace Inner {
  export const fifth = at(40);
}
const text = \`a \${at(42)} b
c \${
  at(44)
} d \${\`e
f \${at(46)}\`}\`;
const pattern = /[\`}/]/g; at(47); const half = list.length / 2; at(47);
let count = 0;
count++
at(50)
++count; at(51);
const arrow = async <V,>(value: V): Promise<V> =>
  (at(53), value);
label: for (const each of list as number[]) { at(54); if (each) break label; }
function later(a: number,
  b = at(56)): asserts a {
  return void at(57);
}
export { Color, later };
new Base<number>(1).method(); arrow(1); later(1); at(60);
function mark(_: number) { return (..._args: unknown[]) => {}; }
export default { count, text, half, pattern, Inner };
`;

describe('compiled code', () => {
  it('is on the lines of its source, whatever went and whatever was added', () => {
    expect(run(everywhere).wrong).toEqual([]);
  });

  it('is on the lines of its source in an ES module too', () => {
    const { code } = compile(everywhere, '/project/file.ts', 'module', options);
    const lines = code.split('\n');
    const calls = [...everywhere.matchAll(/\bat\((\d+)\)/g)].map(([, line]) => Number(line));
    expect(calls.length).toBeGreaterThan(20);
    for (const line of calls) expect(lines[line - 1]).toContain(`at(${line})`);
  });

  it('is on the lines of its source for all files here', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(files.length).toBeGreaterThan(100);
    for (const name of files) {
      const path = join(root, 'src', name);
      const source = readFileSync(path, 'utf8').split('\n');
      for (const format of ['commonjs', 'module'] as const) {
        const code = compile(source.join('\n'), path, format, options).code.split('\n');
        for (const [index, line] of source.entries()) {
          const word = /^ +(return|throw|if|for|switch|case|await|void)\b(?! \($)/.exec(line)?.[1];
          if (word !== undefined)
            expect(code[index], `${name}:${index + 1} ${line}`).toMatch(new RegExp(`\\b${word}\\b`));
        }
      }
    }
  });

  it('keeps the column of what begins a line', () => {
    const { code } = compile('type A = 1;\nfunction a() {\n    throw new Error();\n}', '/p/a.ts', 'module', options);
    expect(code.split('\n')[2]).toBe('    throw new Error();');
  });

  it('has classes by their names, and exports that others see change', () => {
    const { exports } = run(
      'export class A {}; export let count = 0; export const add = () => ++count; export default class {}',
    );
    const { A, add } = exports as { A: { name: string }; add: () => number };
    expect([A.name, exports.count, add(), exports.count]).toEqual(['A', 0, 1, 1]);
  });

  it('exports undefined, not an error, to a module that imports it in a circle', () => {
    const require = (): unknown => ({ seen: Object.getOwnPropertyDescriptor(exports, 'A')?.get?.() });
    const exports: Record<string, unknown> = {};
    const { code } = compile(
      "import { seen } from './b'; export { seen }; export class A {}",
      '/p/a.ts',
      'commonjs',
      options,
    );
    compileFunction(code, ['exports', 'require'])(exports, require);
    expect([exports.seen, typeof exports.A]).toEqual([undefined, 'function']);
  });

  it('may declare what CommonJS has by itself', () => {
    const source =
      "import { dirname } from 'node:path'; const __filename = '/a/b'; export const __dirname = dirname(__filename);";
    const require = (name: string): unknown => process.getBuiltinModule(name);
    expect(run(source, '/project/file.ts', { require, __filename: '', __dirname: '' }).exports.__dirname).toBe('/a');
  });

  it('says of a file whether it awaits at its top, and is not deceived', () => {
    const isAsync = (source: string) => compile(source, '/p/a.ts', 'commonjs', options).isAsync;
    expect(isAsync('export const a = await (b);')).toBe(true);
    expect(isAsync('for await (const a of b) {}; export {}')).toBe(true);
    expect(
      isAsync('export async function f() { await 1; } export const s = "await 1"; export const o = { await: 1 };'),
    ).toBe(false);
  });

  it('says what a file imports and exports', () => {
    const source =
      "import a from './a'; import type B from './b'; export * from './c'; export const d = a, e = 1; export default require('./f');";
    const { imports, exports, stars } = compile(source, '/p/a.ts', 'commonjs', options);
    expect({ imports, exports: exports.toSorted(), stars }).toEqual({
      imports: expect.arrayContaining(['./a', './c', './f']),
      exports: ['d', 'default', 'e'],
      stars: ['./c'],
    });
    expect(imports).not.toContain('./b');
  });

  it('follows what the project says of decorators, fields and JSX', () => {
    const source = 'export class A { @mark b; c }; export const d = <e/>';
    const compileWith = (more: object) => compile(source, '/p/a.tsx', 'module', { ...options, ...more }).code;
    expect(compileWith({})).toContain('jsx-runtime');
    expect(compileWith({ jsx: 'classic', jsxFactory: 'h' })).toMatch(/h\("e"/);
    expect(compileWith({ useDefineForClassFields: false })).not.toMatch(/\bc;/);
    expect(compileWith({})).toContain('_ts_decorate');
    expect(compileWith({ experimentalDecorators: false })).not.toContain('_ts_decorate');
  });

  it('takes decorators for those of ECMAScript in a file with accessor fields, unless the project says otherwise', () => {
    const compileWith = (source: string, more: object = { experimentalDecorators: undefined }) =>
      compile(source, '/p/a.ts', 'module', { ...options, ...more }).code;
    for (const field of ['accessor b = 1', 'static accessor b', 'accessor #b = 1']) {
      const source = `export class A { @mark ${field}; }`;
      expect(compileWith(source)).toContain('_apply_decs');
      expect(compileWith(source, { experimentalDecorators: true })).toContain('accessor');
    }
    for (const other of [
      '// accessor b',
      'accessor = 1',
      'a = accessor in b',
      "'accessor b'",
      'a() { for (accessor of b); }',
    ])
      expect(compileWith(`export class A { @mark b;\n ${other}\n }`)).toContain('_ts_decorate');
  });

  it('that cannot be read is an error that says where', () => {
    const failing = () => compile('const a = 1;\n\nfunction (', '/p/broken.ts', 'module', options);
    expect(failing).toThrow(/^Expected .* \(\/p\/broken\.ts:3\)$/);
    let stack = '';
    try {
      failing();
    } catch (error) {
      stack = (error as Error).stack!;
    }
    expect(stack).toMatch(/^\/p\/broken\.ts:3\n(.*\n)*.*3 \| function \(\n.*\^(.*\n)*SyntaxError: Expected/);
    expect(stack).not.toMatch(/Caused by|Stack backtrace/);
  });
});
