import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

it('a package behind a link is loaded once, though the log goes to a pipe', async () => {
  const { path, write } = makeFolder({
    'app.mjs': `import { read } from 'counter'; import { count } from 'counter/count';
      count();
      export default (env, startResponse) => { startResponse('200 OK', []); return [read()]; }`,
  });
  mkdirSync(join(path, 'store/counter'), { recursive: true });
  write('store/counter/package.json', '{ "exports": { ".": "./index.mjs", "./count": "./count.cjs" } }');
  write('store/counter/count.cjs', 'let calls = 0; exports.count = () => ++calls; exports.calls = () => calls;');
  writeFileSync(
    join(path, 'store/counter/index.mjs'),
    "import { createRequire } from 'node:module'; export const read = () => String(createRequire(import.meta.url)('./count.cjs').calls());",
  );
  mkdirSync(join(path, 'node_modules'));
  symlinkSync('../store/counter', join(path, 'node_modules/counter'));
  const tsgun = start('app.mjs', [], { cwd: path });
  expect(await tsgun.ask()).toBe('1');
  await tsgun.stop();
});
