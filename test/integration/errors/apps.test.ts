/** Errors that a user meets. The app, and workers that do not boot: there a log is open already, and says it. */

import { expect, it } from 'vitest';
import { outcomeOf, type Start } from './start.ts';

it.each<[what: string, start: Start]>([
  [
    'an app that is not there',
    { args: ['nope.ts'], code: 4, logs: ['app: no file "nope.ts" (looked for $PWD/nope.ts)'] },
  ],
  [
    'a folder',
    { args: ['.'], code: 4, logs: ['app: "." is a folder with neither an index.js nor a "main" in its package.json'] },
  ],
  [
    'a file of another kind',
    {
      args: ['x.py'],
      files: { 'x.py': '' },
      code: 4,
      logs: ['app: "x.py" is not one of .ts .mts .cts .js .mjs .cjs .tsx .jsx files'],
    },
  ],
  [
    'a syntax error in TypeScript',
    {
      args: ['syntax.ts'],
      code: 4,
      stack: 'syntax.ts:1',
      logs: ["app: syntax.ts failed to load: Expected ',', got '<eof>' ($PWD/syntax.ts:1)"],
    },
  ],
  [
    'a syntax error in JavaScript',
    {
      args: ['syntax.mjs'],
      code: 4,
      stack: 'syntax.mjs:1',
      logs: ["app: syntax.mjs failed to load: Expected ',', got '<eof>' ($PWD/syntax.mjs:1)"],
    },
  ],
  [
    'an app that throws',
    { args: ['throws.ts'], code: 4, stack: 'throws.ts:3', logs: ['app: throws.ts failed to load: no database'] },
  ],
  [
    'an import that is not there',
    {
      args: ['missing-import.mjs'],
      code: 4,
      logs: [
        "app: missing-import.mjs failed to load: Cannot find module '$PWD/not-there.mjs' imported from $PWD/missing-import.mjs",
      ],
    },
  ],
  [
    'no export to take',
    {
      args: ['nothing.mjs'],
      code: 4,
      logs: [
        "app: nothing.mjs has no default export and none named app (it exports other); name the app's, as in nothing.mjs:other. It does not listen either: export the app (export default app, or module.exports = app), or call listen() on its server",
      ],
    },
  ],
  [
    'no such export',
    { args: ['nothing.mjs:app'], code: 4, logs: ['app: nothing.mjs has no export app (it exports other)'] },
  ],
  [
    'an object that is no app',
    {
      args: ['object.mjs'],
      code: 4,
      logs: [
        'app: the export is an object, which has no fetch(request) and is no app of a framework that is known here; export its (req, res) handler, or its http.Server. It does not listen either: export the app (export default app, or module.exports = app), or call listen() on its server',
      ],
    },
  ],
  [
    'a number',
    {
      args: ['number.mjs'],
      code: 4,
      logs: [
        'app: the export is 7; expected a function, an app of a framework or a server. It does not listen either: export the app (export default app, or module.exports = app), or call listen() on its server',
      ],
    },
  ],
  [
    'a class',
    {
      args: ['class.mjs'],
      code: 4,
      logs: [
        'app: the export is the function Shop, a class; export an instance. It does not listen either: export the app (export default app, or module.exports = app), or call listen() on its server',
      ],
    },
  ],
  [
    'a function that could be anything',
    {
      args: ['unclear.mjs'],
      code: 4,
      logs: [
        'app: the export is the function default with the parameters (a, b), which could be of any kind; say which interface it speaks: --interface wsgi, node or fetch. It does not listen either: export the app (export default app, or module.exports = app), or call listen() on its server',
      ],
    },
  ],
  [
    'a factory that is no function',
    { args: ['factory.mjs:app()'], code: 4, logs: ['app: factory.mjs:app() calls a factory, but the export is 7'] },
  ],
  [
    'a factory that throws',
    {
      args: ['factory.mjs:create()'],
      code: 4,
      stack: 'factory.mjs:1',
      logs: ['app: factory.mjs:create() failed: no factory today'],
    },
  ],
  [
    'an error that escapes while loading',
    {
      args: ['escapes.mjs'],
      code: 4,
      stack: 'escapes.mjs:1',
      logs: ['app: an error escaped it while loading: too late'],
    },
  ],
  [
    'an app that ends its process',
    {
      args: ['exits.mjs'],
      code: 3,
      stack: 'exits.mjs:1',
      logs: ['app: it ended its process with code 5 while it was loaded: does it call process.exit()?'],
    },
  ],
  [
    'an app that waits',
    {
      args: ['waits.mjs', '--boot-timeout', '12'],
      code: 3,
      logs: [
        'a worker is not ready yet (tsgun waits up to 12 s, see bootTimeout): waits.mjs has not finished loading: does it, or its factory, await something that does not come?',
        'worker not ready within 12 s (bootTimeout): waits.mjs has not finished loading: does it, or its factory, await something that does not come?',
      ],
    },
  ],
  [
    'a hook that fails in a worker',
    {
      args: ['good.mjs'],
      files: { 'tsgun.config.mjs': 'export default { postFork() { throw new Error("no vault"); } };' },
      code: 3,
      stack: 'tsgun.config.mjs:1',
      logs: ['postFork: the hook failed: no vault'],
    },
  ],
])('%s', async (_, start) => {
  const { code, says = [], logs = [], stack } = start;
  expect(await outcomeOf(start)).toEqual({ code, says, logs, stdout: '', stack });
});
