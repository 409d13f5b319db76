/** `deno run -A deno.js NAME PORT`: the app of that name in bench/fetch on Deno.serve. */

const [name, port] = Deno.args;
const { default: app } = await import(`../fetch/${name}.js`);
Deno.serve({ port: Number(port), hostname: '127.0.0.1', onListen() {} }, app.fetch);
