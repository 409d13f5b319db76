/** @type {import('node:http').RequestListener} */
export default async function drain(request, response) {
  let length = 0;
  for await (const bytes of request) length += bytes.length;
  const body = `${length}\n`;
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
}
