/** `bun bun.mjs`: several of these share the port, as Bun's guide to clusters has it. */

import { anyOther, routes } from './web.mjs';

const server = Bun.serve({
  port: Number(process.env.PORT),
  hostname: '127.0.0.1',
  reusePort: true,
  idleTimeout: 65,
  routes,
  fetch: anyOther,
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.stop().then(() => process.exit()));
