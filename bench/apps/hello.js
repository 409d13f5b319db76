const headers = [['Content-Type', 'text/plain']];

/** @type {import('tsgun').App} */
export default function hello(_env, startResponse) {
  startResponse('200 OK', headers);
  return ['Hello, world!\n'];
}
