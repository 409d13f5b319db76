/** CommonJS in TypeScript: the compiler takes the package's types by the condition `require`. */

import type { App, Config, ServerSettings } from 'tsgun';
import type { ValidatedApp } from 'tsgun/validate';

const app: App = (env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [env.PATH_INFO];
};
const config: Config = { workers: 2, workerClass: 'threaded' };
// @ts-expect-error no such setting
const wrong: ServerSettings = { workers: 2 };

module.exports = { app, config, wrong, validated: undefined as ValidatedApp | undefined };
