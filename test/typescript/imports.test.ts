/** Who imports TypeScript, and from where. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder, start } from '../integration/harness.ts';

function makeTree(files: Record<string, string>): string {
  const { path } = makeFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

async function answerOf(app: string, files: Record<string, string>, args: readonly string[] = []): Promise<string> {
  const tsgun = start(app, args, { cwd: makeTree(files) });
  const { text } = await tsgun.get('/');
  expect(tsgun.text).toEqual([]);
  await tsgun.stop();
  return text;
}

const handler = (body: string) => `(env, startResponse) => { startResponse('200 OK', []); return [String(${body})]; }`;
const colors = 'export enum Color { Red = 1 }\nexport const name: string = Color[1];\nexport default name;\n';

describe('JavaScript that imports TypeScript', () => {
  it('as an ES module, by its name, without its extension, or by that of JavaScript', async () => {
    const app = `import { name as a } from './a.ts'; import { name as b } from './b'; import { name as c } from './c.js';
      export default ${handler('[a, b, c, import.meta.url.includes("app.mjs")]')}`;
    const files = { 'app.mjs': app, 'a.ts': colors, 'b.ts': colors, 'c.ts': colors };
    expect(await answerOf('app.mjs', files)).toBe('Red,Red,Red,true');
  });

  it('as CommonJS, by its name, or without its extension', async () => {
    const app = `const { name: a } = require('./a.ts'); const { name: b } = require('./b');
      module.exports = ${handler('[a, b, require.main === module]')}`;
    expect(await answerOf('app.cjs', { 'app.cjs': app, 'a.ts': colors, 'b.ts': colors })).toBe('Red,Red,true');
  });

  it('two files away, in threads too', async () => {
    const files = {
      'app.mjs': `import { name } from './middle.mjs'; export default ${handler('name')}`,
      'middle.mjs': "export { default as name } from './colors';",
      'colors.ts': colors,
    };
    expect(await answerOf('app.mjs', files, ['--worker-class', 'threaded', '--threads', '2'])).toBe('Red');
  });
});

describe('TypeScript that imports', () => {
  it('a package of ES modules that awaits at its top, from CommonJS', async () => {
    const files = {
      'app.ts': `import { late } from 'waits'; import { late as again } from './other'; export default ${handler('late + again')}`,
      'other.ts': "import { late } from 'waits'; export { late };",
      'node_modules/waits/package.json': '{ "type": "module", "exports": "./index.js" }',
      'node_modules/waits/index.js': "export const late = await Promise.resolve('late');",
    };
    expect(await answerOf('app.ts', files)).toBe('latelate');
  });

  it('packages as they are: by their exports, a file without its extension, and CommonJS made from ES modules', async () => {
    const files = {
      'package.json': '{ "type": "module" }',
      'app.ts': `import one from 'one'; import two from 'two/lib/two'; import { three } from 'three'; export default ${handler('[one, two, three]')}`,
      'node_modules/one/package.json': '{ "exports": { "import": "./one.mjs", "require": "./one.cjs" } }',
      'node_modules/one/one.mjs': "export default 'one'",
      'node_modules/one/one.cjs': "module.exports = 'one'",
      'node_modules/two/lib/two.js': "module.exports = 'two'",
      'node_modules/three/index.js':
        "Object.defineProperty(exports, '__esModule', { value: true }); exports.three = 3;",
    };
    expect(await answerOf('app.ts', files)).toBe('one,two,3');
  });

  it('another package of the same repository, written in TypeScript', async () => {
    const path = makeTree({
      'server/app.ts': `import { name } from 'colors'; export default ${handler('name')}`,
      'colors/package.json': '{ "name": "colors", "exports": "./src/index.ts" }',
      'colors/src/index.ts': "export { name } from './colors.js';",
      'colors/src/colors.ts': colors,
    });
    mkdirSync(join(path, 'server/node_modules'));
    symlinkSync(join(path, 'colors'), join(path, 'server/node_modules/colors'));
    const tsgun = start('app.ts', [], { cwd: join(path, 'server') });
    expect((await tsgun.get('/')).text).toBe('Red');
    await tsgun.stop();
  });

  it('by the paths of the part of a project that the file belongs to', async () => {
    const files = {
      'tsconfig.json': '{ "files": [], "references": [{ "path": "./tsconfig.app.json" }, { "path": "./test" }] }',
      'tsconfig.app.json': '{ "compilerOptions": { "paths": { "~/*": ["./src/*"] } }, "include": ["src"] }',
      'test/tsconfig.json': '{ "compilerOptions": { "paths": { "~/*": ["./*"] } } }',
      'src/app.ts': `import { name } from '~/colors'; export default ${handler('name')}`,
      'src/colors.ts': colors,
    };
    expect(await answerOf('src/app.ts', files)).toBe('Red');
  });

  it('what is loaded while it runs, wherever that leads', async () => {
    const files = {
      'app.ts': `const load = async () => {
        const [a, b, c, d] = await Promise.all([import('./a'), import('./b.json'), import('./c.mjs'), import('node:path')]);
        return [a.default, a.name, b.default.b, c.c, d.sep].join();
      };
      export default async (env, startResponse) => { const text = await load(); startResponse('200 OK', []); return [text]; }`,
      'a.ts': colors,
      'b.json': '{ "b": 2 }',
      'c.mjs': 'export const c = await 3;',
    };
    expect(await answerOf('app.ts', files)).toBe('Red,Red,2,3,/');
    expect(await answerOf('app.ts', { ...files, 'package.json': '{ "type": "module" }' })).toBe('Red,Red,2,3,/');
  });
});

it('a file with JSX is an app too', async () => {
  const jsx = "export const jsx = (type, { children }) => '<' + type + '>' + children + '</' + type + '>';";
  const files = {
    'tsconfig.json': '{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "mini" } }',
    'app.tsx': `export default ${handler('<p>text</p>')}`,
    'app.jsx': `/** @jsxImportSource mini */\nexport default ${handler('<p>text</p>')}`,
    'node_modules/mini/package.json': '{ "type": "module", "exports": { "./jsx-runtime": "./index.js" } }',
    'node_modules/mini/index.js': jsx,
  };
  expect(await answerOf('app.tsx', files)).toBe('<p>text</p>');
  expect(await answerOf('app.jsx', files)).toBe('<p>text</p>');
});

it.each(['tsgun.config.ts', 'tsgun.config.js'])('a reload sees what %s imports as it is then', async (name) => {
  const path = makeTree({
    'package.json': '{ "type": "module" }',
    'app.mjs': `export default ${handler('process.env.GREETING')}`,
    [name]: "import { greeting } from './values.js'; export default { env: { GREETING: greeting } };",
    [name.endsWith('ts') ? 'values.ts' : 'values.js']: "export const greeting = 'one';",
  });
  const tsgun = start('app.mjs', [], { cwd: path });
  expect(await tsgun.ask()).toBe('one');
  writeFileSync(join(path, name.endsWith('ts') ? 'values.ts' : 'values.js'), "export const greeting = 'two';");
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished');
  expect(await tsgun.ask()).toBe('two');
  await tsgun.stop();
});

it('a tsconfig.json that cannot be read is named', async () => {
  const tsgun = start('app.ts', [], {
    cwd: makeTree({ 'app.ts': 'export default 1', 'tsconfig.json': '{ "extends": "./none.json" }' }),
  });
  expect(await tsgun.exited).toMatchObject({ code: 4 });
  expect(tsgun.lines('worker_exited')[0]!.error).toMatch(
    /app\.ts failed to load: .*tsconfig\.json cannot be read: .*none\.json/,
  );
});
