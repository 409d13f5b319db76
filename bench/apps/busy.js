/** `/block` and `/await` are at work for 3 s, `/started` answers a moment after; anything else at once. */

const busyMs = 3000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default async (env, startResponse) => {
  const { PATH_INFO: path } = env;
  if (path === '/await') await sleep(busyMs);
  if (path === '/started') await sleep(100);
  const end = performance.now() + (path === '/block' ? busyMs : 0);
  while (performance.now() < end);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [String(process.pid)];
};
