/** `bun bun.mjs`: several of these share the port, as Bun's guide to clusters has it. */

import { anyOther, routes } from './web.mjs';

const { CERTFILE, KEYFILE } = process.env;
const server = Bun.serve({
  port: Number(process.env.PORT),
  hostname: '127.0.0.1',
  reusePort: true,
  idleTimeout: 65,
  ...(CERTFILE && { tls: { cert: Bun.file(CERTFILE), key: Bun.file(KEYFILE) } }),
  routes,
  fetch: anyOther,
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.stop().then(() => process.exit()));
