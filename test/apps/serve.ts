/**
 * An app behind the real HTTP engine, in this process, on a free port; and the two ways to talk to it. Between the two stands
 * the validator, so that every app's tests hold it to PEP 3333.
 */

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { App } from '../../src/app/types.ts';
import { validator } from '../../src/validate.ts';
import { openInProcess } from '../http/in-process.ts';

export interface Service extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** What the app threw, and what its bodies did wrong. */
  readonly failures: unknown[];
  /** Sends a request line's target as it stands, which `fetch` would normalise, and reads the answer to its end. */
  get(target: string, ...fields: string[]): Promise<RawAnswer>;
  /** Sends bytes as they stand and reads all that comes back. */
  exchange(request: string): Promise<string>;
  close(): Promise<void>;
}

export interface RawAnswer {
  readonly status: number;
  readonly fields: Headers;
  readonly body: string;
}

export async function serve(app: App): Promise<Service> {
  const validated = validator(app);
  const { port, failures, close: closeServer } = await openInProcess(validated);
  const close = async () => {
    await closeServer();
    if (validated.unclosed > 0) throw new Error(`${validated.unclosed} bodies were not closed`);
  };

  const exchange = async (request: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('latin1');
    socket.end(request, 'latin1');
    return text(socket);
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    failures,
    exchange,
    get: async (target, ...fields) =>
      parse(await exchange([`GET ${target} HTTP/1.1`, 'Host: localhost', ...fields, '', ''].join('\r\n'))),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function parse(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n');
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(' ')[1]), fields: new Headers(fields), body: answer.slice(end + 4) };
}
