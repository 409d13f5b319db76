import { constants, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Dropped, Sink } from '../../src/log/sink.ts';
import { openFile } from '../../src/log/target.ts';
import { onTestFinished } from '../current.ts';
import { eventually } from '../integration/harness.ts';
import { Fifo } from './fifo.ts';

const isLinux = process.platform === 'linux';

function pipe(limitBytes?: number) {
  const fifo = new Fifo();
  // Never closed: a sink whose reader is gone goes on trying.
  const fd = openSync(fifo.path, constants.O_WRONLY | constants.O_NONBLOCK);
  const dropped: Dropped[] = [];
  const open = () => ({ fd, isOwn: false, isPipe: true });
  const sink = new Sink(limitBytes === undefined ? { open } : { open, limitBytes });
  sink.onDropped = (lines) => {
    dropped.push(lines);
    sink.write(`dropped ${lines.lines}\n`);
  };
  return { fifo, sink, dropped };
}

const lineOf = (number: number) => `${String(number).padStart(8, '0')} ${'x'.repeat(90)}\n`;

describe.skipIf(!isLinux)('a log whose reader', () => {
  it('keeps up gets each line before the writer goes on', () => {
    const { fifo, sink } = pipe();
    sink.write('one\n');
    expect(fifo.read()).toBe('one\n');
    sink.write(Buffer.from('two\n'));
    expect(fifo.read()).toBe('two\n');
  });

  it('stops for a while gets every line when it goes on, whole and in order', async () => {
    const { fifo, sink, dropped } = pipe();
    const lines = Array.from({ length: 10_000 }, (_, number) => lineOf(number));
    for (const line of lines) sink.write(line);
    let text = '';
    await eventually(() => {
      text += fifo.read();
      return text.length === 10_000 * 100;
    });
    expect(text).toBe(lines.join(''));
    expect(dropped).toEqual([]);
  });

  it('stops for long finds, where lines are missing, how many they are', async () => {
    const { fifo, sink, dropped } = pipe(100_000);
    for (let number = 0; number < 5000; number++) sink.write(lineOf(number));
    let text = '';
    await eventually(() => {
      text += fifo.read();
      return text.endsWith('\n') && text.includes('dropped');
    });
    sink.write('after\n');
    await eventually(() => {
      text += fifo.read();
      return text.endsWith('after\n');
    });
    const lines = text.trimEnd().split('\n');
    const kept = lines.slice(0, -2);
    expect(kept).toEqual(kept.map((_, number) => lineOf(number).trimEnd()));
    const missing = 5000 - kept.length;
    expect(missing).toBeGreaterThan(0);
    expect(lines.slice(-2)).toEqual([`dropped ${missing}`, 'after']);
    expect(dropped).toEqual([{ lines: missing, bytes: missing * 100 }]);
  });

  it('stops for long gets the urgent line nevertheless', async () => {
    const { fifo, sink } = pipe(100_000);
    for (let number = 0; number < 5000; number++) sink.write(lineOf(number));
    sink.write('fatal\n', true);
    let text = '';
    await eventually(() => {
      text += fifo.read();
      return text.endsWith('fatal\n');
    });
    expect(text).toMatch(/x\ndropped \d+\nfatal\n$/);
  });

  it('never goes on costs the end of the process a moment and not more', () => {
    const { fifo, sink } = pipe();
    for (let number = 0; number < 5000; number++) sink.write(lineOf(number));
    expect(sink.flush(50)).toBe(false);
    expect(fifo.read().length).toBeGreaterThan(0);
    fifo.close();
    expect(sink.flush(60_000)).toBe(false);
  });

  it('never goes on costs no more where an app has stopped the clock', () => {
    const { sink } = pipe();
    for (let number = 0; number < 5000; number++) sink.write(lineOf(number));
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    expect(sink.flush(50)).toBe(false);
  });

  it('is slow gets what is larger than the limit, and whoever wrote it may use its memory again', async () => {
    const { fifo, sink } = pipe(1000);
    const large = Buffer.alloc(1_000_000, 'a');
    sink.write(large);
    large.fill('b');
    let text = '';
    await eventually(() => {
      text += fifo.read();
      return text.length === 1_000_000;
    });
    expect(text).toBe('a'.repeat(1_000_000));
  });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsgun-sink-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('a log file', () => {
  it('that is moved away is begun anew when asked for', () => {
    const path = join(folder(), 'log');
    const sink = new Sink({ open: () => openFile(path) });
    sink.write('one\n');
    renameSync(path, `${path}.1`);
    sink.write('two\n');
    sink.reopen();
    sink.write('three\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo\n');
    expect(readFileSync(path, 'utf8')).toBe('three\n');
  });

  it('whose folder is gone is still written to', () => {
    const path = folder();
    const sink = new Sink({ open: () => openFile(join(path, 'log')) });
    sink.write('one\n');
    renameSync(path, `${path}.moved`);
    onTestFinished(() => rmSync(`${path}.moved`, { recursive: true }));
    expect(() => sink.reopen()).toThrow(/ENOENT/);
    sink.write('two\n');
    expect(readFileSync(join(`${path}.moved`, 'log'), 'utf8')).toBe('one\ntwo\n');
  });

  it.skipIf(!isLinux)('on a full disk keeps its lines, and says once elsewhere that it cannot write', async () => {
    const path = join(folder(), 'log');
    let isFull = true;
    const errors: (string | undefined)[] = [];
    const sink = new Sink({ open: () => openFile(isFull ? '/dev/full' : path) });
    sink.onFailure = ({ code }) => errors.push(code);
    sink.write('one\n');
    sink.write('two\n');
    await eventually(() => errors.length > 0);
    isFull = false;
    sink.reopen();
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(errors).toEqual(['ENOSPC']);
  });

  it('with many lines a second gathers them, and writes them after a while', async () => {
    const path = join(folder(), 'log');
    const sink = new Sink({ open: () => openFile(path), gatherMs: 20 });
    sink.reopen();
    sink.write('one\n');
    sink.write('two\n');
    expect(readFileSync(path, 'utf8')).toBe('');
    await eventually(() => readFileSync(path, 'utf8') === 'one\ntwo\n');
    sink.write('three\n');
    expect(sink.flush(0)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n');
  });
});
