/** The export that a module is served by, where none is named. */

import { describe, expect, it } from 'vitest';
import { callFactory, pickExport } from '../../src/app/exports.ts';
import { parseReference } from '../../src/app-reference.ts';

const app = () => {};
const pick = (exports: Record<string, unknown>) =>
  pickExport(exports, { path: 'app.js', exportName: undefined, factoryArguments: undefined });

describe('without :export', () => {
  it('the default export is taken, else the one named app', () => {
    expect(pick({ default: app })).toEqual({ value: app });
    expect(pick({ app })).toEqual({ value: app });
  });

  it('a default export that is never set does not hide the one named app', () => {
    expect(pick({ default: undefined, app })).toEqual({ value: app });
    expect(pick({ default: { default: undefined, app } })).toEqual({ value: app });
  });
});

describe('path:create(…)', () => {
  const factory = (...given: unknown[]) => given;
  const call = (text: string) => callFactory(factory, parseReference(text));

  it.each([
    ['app.js:create()', []],
    ['app.js:create( )', []],
    ['app.js:create("blue")', ['blue']],
    ['app.js:create("a/b:c()", 3, {"debug": [true, null]})', ['a/b:c()', 3, { debug: [true, null] }]],
  ])('%s calls the export with its arguments, which are JSON', async (text, given) => {
    expect(parseReference(text)).toMatchObject({ path: 'app.js', exportName: 'create' });
    expect(await call(text)).toEqual(given);
  });

  it('other arguments are refused, and the error shows the form', async () => {
    const message = 'app: app.js:create(\'blue\'): arguments are JSON, as in create("blue", 3, {"debug": true})';
    await expect(call("app.js:create('blue')")).rejects.toThrow(message);
  });

  it('a path may contain colons and parentheses', () => {
    expect(parseReference('a:b(1)/app.js')).toMatchObject({ path: 'a:b(1)/app.js', exportName: undefined });
    expect(parseReference('a:b(1)/app.js:f(2)')).toEqual({
      path: 'a:b(1)/app.js',
      exportName: 'f',
      factoryArguments: '2',
    });
    expect(parseReference('a:b/app.js:f')).toMatchObject({ path: 'a:b/app.js', exportName: 'f' });
    expect(parseReference('app (1)')).toMatchObject({ path: 'app (1)', exportName: undefined });
    expect(parseReference('app.js')).toMatchObject({ path: 'app.js', factoryArguments: undefined });
  });
});
