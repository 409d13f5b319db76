import { expect, it } from 'vitest';
import { renderComplaint } from '../src/complaint.ts';

const stack = [
  'Error: no database',
  '    at connect (file:///srv/node: the app/app.mjs:1:9)',
  '    at file:///srv/app/app.mjs:3:1',
  '    at async node:internal/modules/esm/loader:647:26',
  '    at node:internal/main/run_main_module:33:47',
  '    at async ModuleLoader.import (node:internal/modules/esm/loader:650:26)',
  `    at async importApp (${new URL('../src/app/load.ts', import.meta.url).href}:40:7)`,
].join('\n');

it("why tsgun does not start is shown with the frames of the user's own code alone", () => {
  expect(renderComplaint({ name: 'AppLoadError', message: 'app: it throws', stack, exitCode: 4 })).toBe(
    `tsgun: app: it throws\n${stack.split('\n').slice(1, 3).join('\n')}\n`,
  );
});

it('a fault in tsgun is shown whole', () => {
  expect(renderComplaint({ name: 'Error', message: 'no database', stack })).toBe(`tsgun: no database\n${stack}\n`);
});
