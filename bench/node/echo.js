/** @type {import('node:http').RequestListener} */
export default async function echo(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': body.length });
  response.end(body);
}
