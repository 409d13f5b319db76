const headers = { 'Content-Type': 'application/octet-stream' };
const body = new Uint8Array(100 * 1024).fill(0x78);

export default { fetch: () => new Response(body, { headers }) };
