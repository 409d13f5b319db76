import { expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

const app = `export default (env, startResponse) => {
  startResponse('200 OK', []);
  return [JSON.stringify(process.argv.slice(2))];
};`;

it.each(['async', 'sync', 'threaded'])('what follows -- is the command line of the app: %s', async (workerClass) => {
  const { path } = makeFolder({ 'app.mjs': app });
  const options = ['--workers', '1', '--threads', '1', '-k', workerClass, '--', '--flag', 'a b', '-w', '3'];
  const tsgun = start('app.mjs', options, { cwd: path });
  expect((await tsgun.get('/')).text).toBe('["--flag","a b","-w","3"]');
  await tsgun.stop();
});
