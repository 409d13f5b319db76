/** The suites: where each is, which version, and how it runs. Nothing of them is kept in this repository. */

const mocha = (...args) => [
  'npx',
  'mocha',
  '--reporter',
  'json',
  '--reporter-option',
  'output=RESULT',
  '--exit',
  ...args,
];

/**
 * `form` says how its results are read: mocha's and vitest's JSON, node:test's TAP, or files that each pass or fail.
 * `folder` is where its package lies in the repository. `packages` are those that its tests need, where the repository's own
 * list cannot be installed: that of Socket.IO has one from a git server. `build` makes what is tested. `each` runs every test
 * file by itself, with a limit for each.
 */
export const suites = [
  {
    name: 'node',
    repository: 'https://github.com/nodejs/node',
    // The test files belong to their version of Node.
    tag: process.version,
    only: ['test/common', 'test/fixtures', 'test/parallel'],
    form: 'files',
    files: /^test-http-(?!client|agent|proxy|url|parser|perf_hooks|dummy).*\.m?js$/,
  },
  {
    name: 'express 5',
    repository: 'https://github.com/expressjs/express',
    tag: 'v5.2.1',
    form: 'mocha',
    command: mocha('--require', 'test/support/env', '--check-leaks', 'test/', 'test/acceptance/'),
  },
  {
    name: 'express 4',
    repository: 'https://github.com/expressjs/express',
    tag: 'v4.22.2',
    form: 'mocha',
    command: mocha('--require', 'test/support/env', '--check-leaks', 'test/', 'test/acceptance/'),
  },
  {
    name: 'connect',
    repository: 'https://github.com/senchalabs/connect',
    tag: '3.7.0',
    form: 'mocha',
    command: mocha('--require', 'test/support/env', '--check-leaks', 'test/'),
  },
  {
    name: 'koa',
    repository: 'https://github.com/koajs/koa',
    tag: 'v3.2.0',
    form: 'tap',
    command: ['node', '--test', '--test-reporter=tap'],
  },
  {
    name: 'on-finished',
    repository: 'https://github.com/jshttp/on-finished',
    tag: 'v2.4.1',
    form: 'mocha',
    command: mocha('--check-leaks', 'test/'),
  },
  {
    name: 'body-parser',
    repository: 'https://github.com/expressjs/body-parser',
    tag: 'v2.3.0',
    form: 'mocha',
    command: mocha('--check-leaks', 'test/'),
  },
  {
    name: 'express-session',
    repository: 'https://github.com/expressjs/session',
    tag: 'v1.19.0',
    form: 'mocha',
    command: mocha('--require', 'test/support/env', '--check-leaks', 'test/'),
  },
  {
    name: 'ws',
    repository: 'https://github.com/websockets/ws',
    tag: '8.21.0',
    form: 'mocha',
    command: mocha('--throw-deprecation', 'test/*.test.js'),
  },
  {
    name: '@hono/node-server',
    repository: 'https://github.com/honojs/node-server',
    tag: 'v2.0.11',
    form: 'vitest',
    command: ['npx', 'vitest', 'run', '--reporter=json', '--outputFile=RESULT'],
  },
  {
    name: 'fastify',
    repository: 'https://github.com/fastify/fastify',
    tag: 'v5.12.1',
    form: 'tap',
    // As a whole it takes more than its time.
    each: { within: 'test', files: /\.test\.m?js$/, command: ['node', '--test-reporter=tap'] },
  },
  {
    name: 'morgan',
    repository: 'https://github.com/expressjs/morgan',
    tag: '1.10.1',
    form: 'mocha',
    command: mocha('--check-leaks', 'test/'),
  },
  {
    name: 'engine.io',
    repository: 'https://github.com/socketio/socket.io',
    tag: 'engine.io@6.6.9',
    folder: 'packages/engine.io',
    packages: [
      'mocha@10',
      'expect.js@0.3.1',
      'superagent@9',
      'helmet@7',
      'express-session@1.18',
      'engine.io-client@6.6.6',
      'engine.io-client-v3@npm:engine.io-client@3.5.4',
      'typescript@5.5.4',
      '@types/node@18.15.3',
    ],
    // The types of an optional package are missing, and what it makes is complete without.
    build: ['sh', '-c', 'npx tsc || test -d build || test -d dist'],
    form: 'mocha',
    command: mocha('test/engine.io.js', 'test/server.js', 'test/middlewares.js', 'test/parser.js'),
  },
  {
    name: 'socket.io',
    repository: 'https://github.com/socketio/socket.io',
    tag: 'socket.io@4.8.3',
    folder: 'packages/socket.io',
    packages: [
      'mocha@10',
      'expect.js@0.3.1',
      'superagent@9',
      'supertest@7',
      'socket.io-client@4.8.3',
      'socket.io-client-v2@npm:socket.io-client@2.5.0',
      'tsx@4.20.6',
      'typescript@5.5.4',
      '@types/node@18.15.3',
    ],
    // The types of an optional package are missing, and what it makes is complete without.
    build: ['sh', '-c', 'npx tsc || test -d build || test -d dist'],
    form: 'mocha',
    command: mocha(
      '--import=tsx',
      '--timeout',
      '10000',
      ...[
        'server-attachment',
        'handshake',
        'close',
        'namespaces',
        'socket',
        'messaging-many',
        'middleware',
        'socket-middleware',
        'v2-compatibility',
        'socket-timeout',
        'utility-methods',
        'connection-state-recovery',
      ].map((file) => `test/${file}.ts`),
    ),
  },
];
