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
 * `folder` is where its package lies in the repository.
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
    command: ['node', '--test', '--test-reporter=tap'],
  },
];
