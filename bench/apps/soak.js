/** A Node handler with one path for each kind of client that bench/soak.mjs plays. */

const large = Buffer.alloc(1024 * 1024, 'x');
const streams = new Set();
setInterval(() => {
  for (const response of streams) response.write(': still here\n\n');
}, 5000).unref();

export default (request, response) => {
  if (request.url === '/large') return void response.end(large);
  if (request.url === '/upload') {
    let bytes = 0;
    request.on('data', (piece) => (bytes += piece.length));
    return void request.on('end', () => response.end(String(bytes)));
  }
  if (request.url === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(': hello\n\n');
    streams.add(response);
    return void request.on('close', () => streams.delete(response));
  }
  // An answer that never comes: its client leaves first.
  if (request.url === '/never') return undefined;
  setTimeout(() => response.end('ok'), 2);
};
