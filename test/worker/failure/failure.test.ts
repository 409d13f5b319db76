/** The page that stands for an app that cannot be served, under `--reload`. */

import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/app/types.ts';
import { inject } from '../../../src/embed/inject.ts';
import { failureApp } from '../../../src/worker/failure/app.ts';
import { frameOf, placeOf } from '../../../src/worker/failure/frame.ts';
import { makeFolder } from '../../integration/harness.ts';

describe('the place of an error', () => {
  it.each([
    ['app: a.ts failed to load: Expected "," (/srv/a b/a.ts:3)', undefined, { file: '/srv/a b/a.ts', line: 3 }],
    ['no database', 'Error: no database\n    at open (/srv/db.ts:7:9)', { file: '/srv/db.ts', line: 7, column: 9 }],
    ['x', 'Error: x\n    at async file:///srv/a%20b.mjs?again=1:2:3', { file: '/srv/a b.mjs', line: 2, column: 3 }],
    ['x', 'Error: x\n    at /srv/node_modules/x/i.js:1:1\n    at /srv/app.js:5:1', { file: '/srv/app.js', line: 5 }],
    ['x', 'Error: x\n    at node:internal/modules:1:2', undefined],
    ['x()', undefined, undefined],
  ])('%s', (message, stack, place) => {
    const found = placeOf({ message, ...(stack === undefined ? {} : { stack }) });
    if (place === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(place);
  });

  it('has the code around it, with the line and the column marked', () => {
    const { path } = makeFolder({ 'app.ts': 'one\ntwo\n\tthree();\nfour\n' });
    expect(frameOf({ file: `${path}/app.ts`, line: 3, column: 4 })).toBe(
      '  1 | one\n  2 | two\n> 3 | \tthree();\n    | \t  ^\n  4 | four\n  5 |',
    );
    expect(frameOf({ file: `${path}/app.ts`, line: 99, column: 1 })).toBeUndefined();
    expect(frameOf({ file: `${path}/gone.ts`, line: 1, column: 1 })).toBeUndefined();
  });
});

function begin() {
  const { path } = makeFolder({ 'app.ts': 'one();\nif (a < b) throw new Error();\n' });
  const stack = `Error: x\n    at load (${path}/app.ts:2:3)`;
  const app = failureApp({ name: 'Error', message: 'cannot read <script>alert("1")</script>', stack }, 'requests');
  const ask = async (accept: string, method = 'GET') => {
    const answer = await inject(app.app as App, { url: '/any/path', method, headers: { accept } });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };
  return { path, app, ask };
}

describe('the answer', () => {
  it('is a page for a browser, with file, line and code, and nothing of it is markup', async () => {
    const { path, ask } = begin();
    const { status, type, text } = await ask('text/html,*/*');
    expect([status, type]).toEqual([500, 'text/html; charset=utf-8']);
    expect(text).toContain(`${path}/app.ts:2:3`);
    expect(text).toContain('<b>&gt; 2 | if (a &lt; b) throw new Error();</b>');
    expect(text).not.toContain('<script>alert');
    expect(text.match(/<script>/g)).toHaveLength(1);
  });

  it('to a form has no script, as the page cannot be asked for again', async () => {
    const { text } = await begin().ask('text/html', 'POST');
    expect(text).not.toContain('<script>');
    expect(text).toContain('Send the form again');
  });

  it('is plain text for curl', async () => {
    const { status, type, text } = await begin().ask('*/*');
    expect([status, type]).toEqual([500, 'text/plain; charset=utf-8']);
    expect(text).toContain('> 2 | if (a < b) throw new Error();');
    expect(text).not.toContain('<html');
  });

  it('to a page that waits stays open until the worker leaves', async () => {
    const { app, ask } = begin();
    const waiting = ask('text/event-stream');
    app.leave();
    expect(await waiting).toEqual({ status: 200, type: 'text/event-stream', text: `data: ${process.pid}\n\n` });
    // The page knows by it whether it shows the same error.
    expect((await ask('text/html')).text).toContain(`const id = '${process.pid}';`);
  });
});
