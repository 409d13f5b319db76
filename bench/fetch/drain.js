const headers = { 'Content-Type': 'text/plain' };

export default {
  async fetch(request) {
    let length = 0;
    for await (const bytes of request.body ?? []) length += bytes.length;
    return new Response(`${length}\n`, { headers });
  },
};
