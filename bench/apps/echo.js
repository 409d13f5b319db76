const headers = [['Content-Type', 'application/octet-stream']];

/** @type {import('tsgun').App} */
export default async function echo(env, startResponse) {
  const pieces = [];
  for await (const piece of env['wsgi.input']) pieces.push(piece);
  startResponse('200 OK', headers);
  return pieces;
}
