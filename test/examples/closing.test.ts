/** A worker that leaves lets its framework close what plugins have opened. */

import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { makeFolder, start } from '../integration/harness.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

function serve(text: string, kind: string) {
  const folder = makeFolder({ 'app.mjs': text, closed: '' });
  symlinkSync(modules, join(folder.path, 'node_modules'));
  const tsgun = start('app.mjs', ['--worker-class', kind, '--threads', '2'], { cwd: folder.path });
  return { tsgun, closed: () => readFileSync(join(folder.path, 'closed'), 'utf8') };
}

describe.each([
  ['sync', 1],
  ['threaded', 2],
  ['async', 1],
])('the %s class', (kind, apps) => {
  test('closes an app of Fastify, at a reload and at the end', async () => {
    const { tsgun, closed } = serve(
      `import { appendFileSync } from 'node:fs';
      import fastify from 'fastify';
      export default fastify().addHook('onClose', async () => appendFileSync('closed', 'x')).get('/', () => 'open');`,
      kind,
    );
    expect(await tsgun.ask()).toBe('open');
    tsgun.signal('SIGHUP');
    await tsgun.event('worker_exited');
    expect(closed()).toBe('x'.repeat(apps));
    expect(await tsgun.ask()).toBe('open');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(closed()).toBe('x'.repeat(2 * apps));
  });

  test('closes an app of Nest', async () => {
    const { tsgun, closed } = serve(
      `import 'reflect-metadata';
      import { appendFileSync } from 'node:fs';
      import { Module } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      class Root { onModuleDestroy() { appendFileSync('closed', 'x'); } }
      Module({})(Root);
      export default await NestFactory.create(Root, { logger: false });`,
      kind,
    );
    await tsgun.workers(1);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(closed()).toBe('x'.repeat(apps));
  });

  test('says so when that fails, and leaves', async () => {
    const { tsgun } = serve(
      `import fastify from 'fastify';
      export default fastify().addHook('onClose', async () => { throw new Error('not now'); });`,
      kind,
    );
    await tsgun.workers(1);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(tsgun.log.filter((line) => JSON.stringify(line).includes('not now'))).toHaveLength(apps);
  });
});
