const headers = { 'Content-Type': 'application/octet-stream' };

export default {
  async fetch(request) {
    return new Response(await request.arrayBuffer(), { headers });
  },
};
