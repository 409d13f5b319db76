import { describe, expect, it } from 'vitest';
import { formatLine } from '../../src/log/line.ts';

const parse = (line: string) => JSON.parse(line) as Record<string, unknown>;

describe('a line of the log', () => {
  it('is JSON with the level, the time, the fields and the message, in this order', () => {
    const line = formatLine('info', { event: 'listening', pid: 7, url: undefined }, 'hello\n"you"');
    expect(line).toMatch(
      /^\{"level":"info","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","event":"listening","pid":7,"msg":"hello\\n\\"you\\""\}\n$/,
    );
  });

  it('cuts texts of more than 16 KiB, and says how many bytes are missing', () => {
    const { error, stack, msg } = parse(
      formatLine('error', { error: 'e'.repeat(5_000_000), stack: 's'.repeat(16_384) }, 'm'.repeat(20_000)),
    );
    expect(error).toBe(`${'e'.repeat(16_384)}... (4983616 bytes cut)`);
    expect(stack).toBe('s'.repeat(16_384));
    expect(msg).toBe(`${'m'.repeat(16_384)}... (3616 bytes cut)`);
  });

  it('cuts texts inside of fields too, and never between the halves of a character', () => {
    const { requests } = parse(formatLine('warn', { requests: [{ path: `${'a'.repeat(16_383)}😀b` }] }, ''));
    expect(requests).toEqual([{ path: `${'a'.repeat(16_383)}... (5 bytes cut)` }]);
  });

  it('is bounded where there are many long texts', () => {
    const texts = Array.from({ length: 100 }, () => 'x'.repeat(16_000));
    const line = formatLine('error', { event: 'request_failed', pid: 7, texts }, 'failed');
    expect(parse(line)).toMatchObject({ event: 'request_failed', pid: 7, msg: 'failed', cutBytes: expect.any(Number) });
    expect(line.length).toBeLessThan(1000);
  });

  it('is written whatever the fields hold', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(parse(formatLine('error', { circle }, 'odd'))).toMatchObject({ msg: 'odd', unreadable: expect.any(String) });
    expect(parse(formatLine('error', { big: 7n }, 'odd'))).toMatchObject({ msg: 'odd', big: '7' });
  });
});
