/**
 * The programs: what each is made from, at which version, and what it is asked. Nothing of them is kept in this repository but
 * `files/`, where a framework has no template that makes a whole program.
 */

const json = (body) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const npx = (...args) => ['npx', '--yes', ...args];
const install = (...packages) => ['npm', 'install', '--no-audit', '--no-fund', ...packages];
const build = ['npm', 'run', 'build'];
const clone = (repository, branch) => [
  'git',
  ...['clone', '--quiet', '--depth', '1', '--branch', branch, `https://github.com/${repository}`, '.'],
];
const query = json({ query: '{ hello(name: "tsgun") }' });

/**
 * - `files`: the folder of `files/` that is copied, after `after` of the commands (0 where it is not said)
 * - `make`: the commands that make it
 * - `folder`, `file`, `args`: how node runs it, with its port for PORT; `ours` where tsgun takes another file
 * - `ask`: questions; the first one is asked under load too
 * - `changes`: what differs in a body from answer to answer under node alone
 * - `socket`: the event that Socket.IO is asked with, by WebSocket
 * - `node`: the lowest version that its packages run on
 */
export const programs = [
  {
    name: 'Express 4 (express-generator)',
    make: [npx('express-generator@4.16.1', '--no-view', '.'), install()],
    file: 'bin/www',
    ask: [['/users'], ['/'], ['/stylesheets/style.css'], ['/nowhere']],
  },
  {
    name: 'Express 5',
    files: 'express',
    make: [install('express@5.3.0')],
    file: 'server.cjs',
    ask: [['/user/7'], ['/echo', json({ a: [1, 2] })], ['/nowhere'], ['/user/7', { method: 'HEAD' }]],
  },
  {
    name: 'Koa 3',
    files: 'koa',
    make: [install('koa@3.3.0')],
    file: 'server.mjs',
    ask: [['/a?b=c'], ['/', { method: 'HEAD' }]],
  },
  {
    name: 'Fastify 5 (fastify-cli)',
    make: [npx('fastify-cli@8.0.2', 'generate', '.', '--integrate'), install()],
    file: 'node_modules/fastify-cli/cli.js',
    args: ['start', '-l', 'error', 'app.js'],
    ask: [['/'], ['/example'], ['/nowhere']],
  },
  {
    name: 'Hono 4, serve()',
    files: 'hono',
    make: [install('hono@4.13.19', '@hono/node-server@2.1.9')],
    file: 'server.mjs',
    ask: [['/user/7'], ['/'], ['/echo', json({ a: 1 })], ['/nowhere']],
  },
  {
    name: 'Nest 12 (main.ts, DTOs, gateway)',
    files: 'nest',
    after: 1,
    make: [
      npx(
        '@nestjs/cli@12.0.8',
        'new',
        'nest',
        '--directory',
        '.',
        '--skip-git',
        '--skip-install',
        '--package-manager',
        'npm',
      ),
      install(
        '@nestjs/websockets@12',
        '@nestjs/platform-socket.io@12',
        'class-validator@0.15.1',
        'class-transformer@0.5.1',
      ),
      build,
    ],
    file: 'dist/main',
    ours: 'src/main.ts',
    ask: [
      ['/'],
      ['/cats', json({ name: 'Tom', age: 3 })],
      ['/cats', json({ name: 'Tom', age: 31 })],
      ['/cats', json({ name: 7 })],
      ['/nowhere'],
    ],
    socket: 'say',
  },
  {
    name: 'Next 16 (standalone)',
    make: [
      npx(
        'create-next-app@16.4.3',
        '.',
        '--ts',
        '--app',
        '--empty',
        '--no-tailwind',
        '--no-eslint',
        '--no-src-dir',
        '--use-npm',
        '--disable-git',
        '--yes',
        '--skip-install',
      ),
      ['sed', '-i', 's|/. config options here ./|output: "standalone",|', 'next.config.ts'],
      install(),
      build,
    ],
    folder: '.next/standalone',
    file: 'server.js',
    ask: [['/'], ['/nowhere'], ['/', { headers: { rsc: '1' } }]],
    node: '20.9',
  },
  {
    name: 'Nuxt 4 (node-server)',
    make: [clone('nuxt/starter', 'v4'), install(), build],
    file: '.output/server/index.mjs',
    ask: [['/'], ['/robots.txt'], ['/nowhere'], ['/favicon.ico']],
    node: '22.19',
  },
  {
    name: 'Nitro 2 (node-server)',
    files: 'nitro',
    make: [install('nitropack@2.13.6'), npx('nitropack', 'build')],
    file: '.output/server/index.mjs',
    ask: [['/?a=b'], ['/echo', json({ a: 1 })], ['/nowhere']],
  },
  {
    name: 'SvelteKit 2 (adapter-node)',
    make: [
      npx(
        'sv@0.17.1',
        'create',
        '.',
        '--template',
        'minimal',
        '--types',
        'ts',
        '--add',
        'sveltekit-adapter=adapter:node',
        '--no-dir-check',
        '--no-download-check',
        '--no-install',
      ),
      install(),
      build,
    ],
    file: 'build/index.js',
    ask: [['/'], ['/robots.txt'], ['/nowhere']],
    node: '22.12',
  },
  {
    name: 'Astro 7 (standalone)',
    files: 'astro',
    make: [install('astro@7.3.5', '@astrojs/node@11.1.6'), npx('astro', 'build')],
    file: 'dist/server/entry.mjs',
    ask: [['/?name=tsgun'], ['/nowhere']],
    node: '22.12',
  },
  {
    name: 'React Router 7 (react-router-serve)',
    make: [clone('remix-run/react-router-templates', 'main'), ['cp', '-r', 'default/.', '.'], install(), build],
    file: 'node_modules/@react-router/serve/bin.js',
    args: ['build/server/index.js'],
    ask: [['/'], ['/favicon.ico'], ['/nowhere']],
    node: '22.12',
  },
  {
    name: 'React Router 7 (its own Express server)',
    make: [
      clone('remix-run/react-router-templates', 'main'),
      ['cp', '-r', 'node-custom-server/.', '.'],
      install(),
      build,
    ],
    file: 'server.js',
    ask: [['/'], ['/favicon.ico'], ['/nowhere']],
    node: '22.12',
  },
  {
    name: 'TanStack Start 1 (Nitro)',
    make: [
      npx(
        '@tanstack/cli@0.71.0',
        'create',
        '--target-dir',
        '.',
        '--force',
        '--framework',
        'React',
        '--deployment',
        'nitro',
        '--no-git',
        '--no-intent',
        '--package-manager',
        'npm',
        '--non-interactive',
        '--yes',
        '--no-install',
        'start',
      ),
      install(),
      build,
    ],
    file: '.output/server/index.mjs',
    ask: [['/'], ['/about'], ['/robots.txt'], ['/nowhere']],
    // When the page was made.
    changes: /u:\d{13}/g,
    node: '22.12',
  },
  {
    name: 'Socket.IO 4 (WebSocket)',
    files: 'socket-io',
    make: [install('socket.io@4.8.4')],
    file: 'server.cjs',
    ask: [['/'], ['/socket.io/?EIO=4&transport=polling']],
    socket: 'say',
  },
  {
    name: 'Apollo Server 5 (standalone)',
    files: 'apollo',
    make: [install('@apollo/server@5.5.1', 'graphql@16')],
    file: 'server.mjs',
    ask: [
      ['/', query],
      ['/', json({ query: '{ nothing }' })],
      ['/', { headers: { accept: 'application/json' } }],
      ['/', json([])],
    ],
  },
  {
    name: 'GraphQL Yoga 5',
    files: 'yoga',
    make: [install('graphql-yoga@5.24.1', 'graphql@16')],
    file: 'server.mjs',
    ask: [
      ['/graphql', query],
      ['/graphql', json({ query: '{ nothing }' })],
      ['/graphql', { headers: { accept: 'text/html' } }],
      ['/nowhere'],
    ],
  },
  {
    name: 'json-server 0.17',
    files: 'json-server',
    make: [install('json-server@0.17.4')],
    file: 'node_modules/json-server/lib/cli/bin.js',
    args: ['db.json', '--port', 'PORT', '--quiet'],
    ask: [['/posts'], ['/posts/2'], ['/profile'], ['/posts?title=one'], ['/nowhere']],
  },
  {
    name: 'Node-RED 5',
    make: [install('node-red@5.0.7')],
    file: 'node_modules/node-red/red.js',
    args: ['--port', 'PORT', '--userDir', 'data'],
    ask: [['/settings'], ['/'], ['/flows'], ['/nowhere']],
    node: '22.9',
  },
];
