import { memoryInUse } from '../lib/collect.js';

/** @type {import('node:http').RequestListener} */
export default function hello(request, response) {
  const body = request.url === '/memory' ? memoryInUse() : 'Hello, world!\n';
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
}
