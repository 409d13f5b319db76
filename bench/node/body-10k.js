const body = Buffer.alloc(10 * 1024, 'x');

/** @type {import('node:http').RequestListener} */
export default function serve(_request, response) {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': body.length });
  response.end(body);
}
