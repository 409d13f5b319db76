export default (_, response) => {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end('Hello, world!\n');
};
