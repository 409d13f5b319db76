const headers = [['Content-Type', 'application/json']];

/** @type {import('tsgun').App} */
export default function serve(_env, startResponse) {
  startResponse('200 OK', headers);
  return [JSON.stringify({ id: 4711, name: 'running shoe', price: 119, stocked: true })];
}
