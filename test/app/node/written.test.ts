/** What a handler is told of what it has written: callbacks, `drain`, `finish` and lengths, beside those of node:http. */

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Client } from '../../http/client.ts';
import { sideBySide } from './side-by-side.ts';

type Told = (name: string) => (error?: Error | null) => void;
/** Writes an answer; `told` makes a callback that notes its name. */
type Write = (res: ServerResponse, told: Told, note: (line: string) => void) => unknown;

/** More than the kernel holds for one connection. */
const large = Buffer.alloc(6_000_000, 'x');

const small: Record<string, Write> = {
  'small writes and an end': (res, told) => {
    for (const name of ['a', 'b', 'c']) res.write(name, told(name));
    res.end('d', told('end'));
  },
  'one small end': (res, told) => res.end('d', told('end')),
  'an empty end': (res, told) => res.end(told('end')),
  'a head, and later a body': async (res, told) => {
    res.flushHeaders();
    await sleep(5);
    res.write('a', told('a'));
    await sleep(5);
    res.end(told('end'));
  },
  'no content': (res, told) => res.writeHead(204).end(told('end')),
};

const backedUp: Record<string, Write> = {
  'a large end': (res, told) => res.end(large, told('end')),
  'a large text': (res, told) => res.end('x'.repeat(large.length), told('end')),
  'a large end with its length': (res, told) => {
    res.writeHead(200, { 'Content-Length': large.length });
    res.end(large, told('end'));
  },
  'a small write, and later a large end': async (res, told) => {
    res.write('a', told('a'));
    await sleep(5);
    res.end(large, told('end'));
  },
  'large writes at once': (res, told) => {
    for (const name of ['a', 'b', 'c']) res.write(large, told(name));
    res.end(told('end'));
  },
  'large writes one after another': async (res, told) => {
    for (const name of ['a', 'b', 'c', 'd']) {
      res.write(name === 'd' ? 'd' : large, told(name));
      await sleep(5);
    }
    res.end('e', told('end'));
  },
};

/** What happens to a response, in order, and what its client does in between. */
function trace(write: Write, act: (client: Client, note: (line: string) => void) => unknown) {
  return sideBySide(async (serve) => {
    const lines: string[] = [];
    const note = (line: string) => void lines.push(line);
    let begin = () => {};
    let end = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const over = new Promise<void>((resolve) => (end = resolve));
    const port = await serve((req, res) => {
      res.on('prefinish', () => note('prefinish'));
      res.on('finish', () => note(`finish, finished: ${res.writableFinished}, detached: ${res.socket === null}`));
      res.on('close', () => note(`close, destroyed: ${res.destroyed}, left: ${res.writableLength}`));
      req.on('aborted', () => note('aborted'));
      // What is still to come, comes in this turn.
      res.on('close', () => setImmediate(() => setImmediate(end)));
      const told: Told = (name) => (error) => note(error ? `${name} failed` : name);
      const written = write(res, told, note);
      void Promise.resolve(written).then(begin);
    });
    const client = await Client.open(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await begun;
    // Whatever goes out at once has gone.
    await sleep(20);
    await act(client, note);
    await over;
    return lines;
  });
}

const read = (client: Client, note: (line: string) => void) => {
  note('the client reads');
  client.socket.resume();
};

describe.each(Object.entries({ ...small, ...backedUp }))('%s', (_name, write) => {
  it('is told of as by node:http, to a client that reads late', async () => {
    const [nodes, ours] = await trace(write, read);
    expect(ours).toEqual(nodes);
  });
});

describe.each(Object.entries(backedUp))('%s', (_name, write) => {
  it('has no finish when the client leaves ahead of it, and calls every callback of a write', async () => {
    for (const leave of ['resetAndDestroy', 'destroy'] as const) {
      const [nodes, ours] = await trace(write, (client) => client.socket[leave]());
      // Before Node 24, node:http calls an answer finished that its client has left.
      const isSound = !nodes.some((line) => line.startsWith('finish'));
      const plain = (lines: string[]) => lines.map((line) => line.replace(' failed', ''));
      if (isSound) expect(plain(ours)).toEqual(plain(nodes));
      expect(ours.filter((line) => line.startsWith('finish'))).toEqual([]);
      expect(ours.at(-1)).toBe('close, destroyed: true, left: 0');
      const names = (lines: string[]) => lines.filter((line) => /^[a-d]( failed)?$/.test(line)).map((line) => line[0]);
      expect(names(ours)).toEqual(names(nodes));
    }
  });
});

it('lengths and the need to drain are those of node:http', async () => {
  const write: Write = async (res, _told, note) => {
    const show = (when: string) => {
      const length = res.writableLength > 1_000_000 ? 'large' : res.writableLength > 0 ? 'small' : 'none';
      note(`${when}: ${length}, must drain: ${res.writableNeedDrain}, finished: ${res.writableFinished}`);
    };
    res.on('drain', async () => {
      show('drained');
      await sleep(5);
      res.end('x');
      show('ended');
    });
    show('first');
    note(`write: ${res.write('abc')}`);
    show('written');
    await sleep(5);
    show('out');
    note(`write: ${res.write(large)}`);
    show('large');
    await sleep(5);
    show('still large');
  };
  const [nodes, ours] = await trace(write, read);
  expect(ours).toEqual(nodes);
  expect(ours).toContain('still large: large, must drain: true, finished: false');
});

it('writing as fast as drain allows ends as with node:http', async () => {
  const write: Write = (res, told) => {
    let count = 0;
    const go = () => {
      while (count < 40) {
        count++;
        if (!res.write(Buffer.alloc(300_000), told(String(count)))) return void res.once('drain', go);
      }
      res.end(told('end'));
    };
    go();
  };
  const [nodes, ours] = await trace(write, read);
  const numbers = (lines: string[]) => lines.filter((line) => /^\d+$/.test(line));
  expect(numbers(ours)).toEqual(Array.from({ length: 40 }, (_, index) => String(index + 1)));
  expect(numbers(nodes)).toEqual(numbers(ours));
  expect(ours.slice(-2)).toEqual(nodes.slice(-2));
});

it('a stream that is piped to a client that leaves is closed, unfinished, as by node:http', async () => {
  const write: Write = (res) => {
    const pieces = function* () {
      for (let count = 0; count < 100; count++) yield Buffer.alloc(300_000);
    };
    Readable.from(pieces()).pipe(res);
  };
  const [nodes, ours] = await trace(write, (client) => client.socket.resetAndDestroy());
  expect(ours).toEqual(nodes);
  expect(ours).toEqual(['aborted', 'close, destroyed: true, left: 0']);
});
