/** `/never` is never answered, `/events` goes on for ever, and all else is answered at once: for each interface. */

const never = () => new Promise(() => {});
async function* events(begun) {
  begun();
  yield ': hello\n\n';
  await never();
}
const begun = (path) => () => process.stdout.write(`begun ${path}\n`);

export function wsgi({ PATH_INFO: path }, startResponse) {
  startResponse('200 OK', []);
  if (path === '/events') return events(begun(path));
  if (path !== '/never') return ['quick'];
  begun(path)();
  return never();
}

export function node({ url: path }, response) {
  if (path === '/never' || path === '/events') begun(path)();
  if (path === '/events') response.write(': hello\n\n');
  else if (path !== '/never') response.end('quick');
}

export const fetch = {
  fetch(request) {
    const path = new URL(request.url).pathname;
    if (path === '/events') return new Response(ReadableStream.from(events(begun(path))));
    if (path !== '/never') return new Response('quick');
    begun(path)();
    return never();
  },
};
