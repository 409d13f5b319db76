const headers = [['Content-Type', 'application/octet-stream']];
const body = Buffer.alloc(10 * 1024, 'x');

/** @type {import('tsgun').App} */
export default function serve(_env, startResponse) {
  startResponse('200 OK', headers);
  return [body];
}
