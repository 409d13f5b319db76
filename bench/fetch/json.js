const headers = { 'Content-Type': 'application/json' };

export default {
  fetch: () => new Response(JSON.stringify({ id: 4711, name: 'running shoe', price: 119, stocked: true }), { headers }),
};
