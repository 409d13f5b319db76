const headers = { 'Content-Type': 'text/plain' };

export default { fetch: () => new Response('Hello, world!\n', { headers }) };
