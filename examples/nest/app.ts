// Nest's decorators, called as the functions that they are: this file is TypeScript that Node can run by itself. Written
// with `@`, as usual, they work under tsgun too.
import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Module,
  Param,
  Post,
  Query,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Request, Response } from 'express';

class Routes {
  hello() {
    return 'hello';
  }
  user(id: string, q?: string) {
    return { id, q: q ?? null };
  }
  json(body: unknown) {
    return { received: body };
  }
  cookies(cookie: string, response: Response) {
    response.cookie('a', '1').cookie('b', '2', { httpOnly: true });
    return cookie;
  }
  teapot() {
    return { error: 'short and stout' };
  }
  stream() {
    return new StreamableFile(Readable.from([Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]));
  }
  async upload(request: Request) {
    let bytes = 0;
    for await (const piece of request) bytes += piece.length;
    return { bytes };
  }
  boom() {
    throw new Error('boom');
  }
}

function decorate(name: keyof Routes, methods: MethodDecorator[], parameters: ParameterDecorator[] = []) {
  for (const method of methods)
    method(Routes.prototype, name, Reflect.getOwnPropertyDescriptor(Routes.prototype, name)!);
  for (const [index, parameter] of parameters.entries()) parameter(Routes.prototype, name, index);
}
Controller()(Routes);
decorate('hello', [Get('/')]);
decorate('user', [Get('users/:id')], [Param('id'), Query('q')]);
decorate('json', [Post('json')], [Body()]);
decorate('cookies', [Get('cookies')], [Headers('cookie'), Res({ passthrough: true })]);
decorate('teapot', [Get('teapot'), HttpCode(418)]);
decorate('stream', [Get('stream')]);
decorate('upload', [Post('upload')], [Req()]);
decorate('boom', [Get('boom')]);

class Root {}
Module({ controllers: [Routes] })(Root);

export default await NestFactory.create(Root, { logger: ['error', 'warn'] });
