/** @type {import('node:http').RequestListener} */
export default function serve(_request, response) {
  const body = JSON.stringify({ id: 4711, name: 'running shoe', price: 119, stocked: true });
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}
