/** Nest as its users write it: decorators, and services that it finds by the types of a constructor's parameters. */

import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeFolder, start } from '../integration/harness.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

const app = `
import { Controller, Get, Injectable, Module, NotFoundException, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Injectable()
class Greeter {
  greet(name: string): string {
    if (name === 'nobody') throw new NotFoundException('nobody is here');
    return 'hello, ' + name;
  }
}

@Controller('greetings')
class Greetings {
  constructor(private readonly greeter: Greeter) {}

  @Get(':name')
  greet(@Param('name') name: string): string {
    return this.greeter.greet(name);
  }
}

@Module({ controllers: [Greetings], providers: [Greeter] })
class Root {}

export const create = () => NestFactory.create(Root, { logger: false });
`;

test.each(['sync', 'threaded', 'async'])('an app of Nest with decorators needs no build step, %s', async (kind) => {
  const { path } = makeFolder({ 'app.ts': app });
  symlinkSync(modules, join(path, 'node_modules'));
  const tsgun = start(`${path}/app.ts:create()`, ['--worker-class', kind]);
  expect(await tsgun.event('worker_ready')).toMatchObject({ interface: 'node' });
  expect(await tsgun.get('/greetings/you')).toMatchObject({ status: 200, text: 'hello, you' });
  const { status, text } = await tsgun.get('/greetings/nobody');
  expect([status, JSON.parse(text)]).toEqual([404, { statusCode: 404, message: 'nobody is here', error: 'Not Found' }]);
  expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
});
