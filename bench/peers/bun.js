/** `bun bun.js NAME PORT`: the app of that name in bench/fetch on Bun.serve, with the keep-alive time that tsgun has. */

const [name, port] = process.argv.slice(2);
const { default: app } = await import(`../fetch/${name}.js`);
Bun.serve({ port: Number(port), hostname: '127.0.0.1', idleTimeout: 65, development: false, fetch: app.fetch });
