import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

/** `/export` answers when the file `go` is there, any other path at once. */
const app = `
import { existsSync } from 'node:fs'
export default async (env, startResponse) => {
  const isSlow = env.PATH_INFO === '/export'
  if (isSlow) console.log('parked')
  while (isSlow && !existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
  startResponse('200 OK', [])
  return [env.PATH_INFO]
}
`;

it.each(['async', 'threaded'])('%s: a slow route has its places, and others are served', async (workerClass) => {
  const folder = makeFolder({ 'app.mjs': app });
  const args = ['--worker-class', workerClass, '--threads', '2', '--limit-concurrency', '/export=1'];
  const tsgun = start(join(folder.path, 'app.mjs'), args, { cwd: folder.path });
  const slow = [tsgun.get('/export'), tsgun.get('/export'), tsgun.get('/export')];
  await tsgun.until(() => tsgun.stdout.includes('parked'), 'the first request to be parked');
  expect(await tsgun.get('/light')).toMatchObject({ text: '/light' });
  expect(tsgun.stdout.match(/parked/g)).toHaveLength(1);
  folder.write('go', '');
  for (const answer of slow) expect(await answer).toMatchObject({ status: 200, text: '/export' });
  await tsgun.stop();
});
