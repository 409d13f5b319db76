const headers = [['Content-Type', 'text/plain']];

/** @type {import('tsgun').App} */
export default async function drain(env, startResponse) {
  let length = 0;
  for await (const bytes of env['wsgi.input']) length += bytes.length;
  startResponse('200 OK', headers);
  return [`${length}\n`];
}
