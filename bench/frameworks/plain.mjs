/** @type {import('node:http').RequestListener} */
export default function hello(_req, res) {
  res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 14 });
  res.end('Hello, world!\n');
}
