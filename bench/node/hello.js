/** @type {import('node:http').RequestListener} */
export default function hello(_request, response) {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 14 });
  response.end('Hello, world!\n');
}
