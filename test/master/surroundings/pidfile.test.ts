import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/logger.ts';
import { Pidfile } from '../../../src/master/surroundings/pidfile.ts';
import { onTestFinished } from '../../current.ts';

const own = `${process.pid}\n`;
/** Runs as long as this test does. */
const alive = process.ppid;

function setUp(isBeside = false, isMaster = (pid: number) => pid === alive) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const said: string[] = [];
  const log: Logger = { event: () => {}, say: (level) => said.push(level), reopen: () => {} };
  const path = join(folder, 'x.pid');
  return { folder, path, said, log, pidfile: new Pidfile(isBeside, isMaster) };
}

describe('a pidfile', () => {
  it('says the process, can be read by everyone, and leaves nothing else behind', () => {
    const { folder, path, log, said, pidfile } = setUp();
    const mask = process.umask(0o077);
    onTestFinished(() => void process.umask(mask));
    pidfile.hold(path, log);
    expect(readFileSync(path, 'utf8')).toBe(own);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['x.pid']);
    expect(said).toEqual([]);
    pidfile.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['', 'garbage', '-1\n', '0', '12 13', '999999999\n', '99999999999999999999'])(
    'that says %j is no one’s, and replaced with a warning',
    (text) => {
      const { path, log, said, pidfile } = setUp();
      writeFileSync(path, text);
      pidfile.check(path);
      pidfile.hold(path, log);
      expect(readFileSync(path, 'utf8')).toBe(own);
      expect(said).toEqual(['warn']);
    },
  );

  it('of a running process is refused and left alone, also at the end', () => {
    const { path, log, pidfile } = setUp();
    writeFileSync(path, `${alive}\n`);
    const message = `pidfile: ${path} says process ${alive}, which is running: stop that one first`;
    expect(() => pidfile.check(path)).toThrow(message);
    expect(() => pidfile.hold(path, log)).toThrow(message);
    pidfile.release();
    expect(readFileSync(path, 'utf8')).toBe(`${alive}\n`);
  });

  it.each([
    ['a Node program', () => alive],
    [
      'another program',
      () => {
        const sleep = spawn('sleep', ['60'], { stdio: 'ignore' });
        onTestFinished(() => void sleep.kill());
        return sleep.pid;
      },
    ],
  ])('of a running process that is no tsgun, but %s, is replaced with a warning', (_, run) => {
    const { path, log, said } = setUp();
    const pidfile = new Pidfile();
    writeFileSync(path, `${run()}\n`);
    pidfile.check(path);
    pidfile.hold(path, log);
    expect(readFileSync(path, 'utf8')).toBe(own);
    expect(said).toEqual(['warn']);
    pidfile.release();
  });

  it('that says this process already, as after a restart in a container, is taken without a word', () => {
    const { path, log, said, pidfile } = setUp();
    writeFileSync(path, own);
    pidfile.hold(path, log);
    expect(said).toEqual([]);
  });

  it('that another has taken meanwhile is not removed', () => {
    const { path, log, pidfile } = setUp();
    pidfile.hold(path, log);
    writeFileSync(path, `${alive}\n`);
    pidfile.release();
    expect(existsSync(path)).toBe(true);
  });

  it('moves, is written again when it is gone, and stays when it cannot move', () => {
    const { folder, path, log, pidfile } = setUp();
    const other = join(folder, 'y.pid');
    pidfile.hold(path, log);
    pidfile.hold(other, log);
    expect(readdirSync(folder)).toEqual(['y.pid']);
    rmSync(other);
    pidfile.hold(other, log);
    writeFileSync(path, `${alive}\n`);
    expect(() => pidfile.hold(path, log)).toThrow('which is running');
    expect(() => pidfile.hold(join(folder, 'no', 'z.pid'), log)).toThrow(
      /^pidfile: expected a file that can be written, got .*z\.pid: its folder is not there$/,
    );
    expect(readFileSync(other, 'utf8')).toBe(own);
    pidfile.hold(undefined, log);
    expect(readdirSync(folder)).toEqual(['x.pid']);
  });

  it('is not written through a link that waits under the name of the draft', () => {
    const { folder, path, log, pidfile } = setUp();
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, `${path}.${process.pid}.new`);
    pidfile.hold(path, log);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(readFileSync(path, 'utf8')).toBe(own);
  });
});

describe('the pidfile of a master beside another', () => {
  it('has .2 at its end until the other has left, then not', () => {
    const { folder, path, log, pidfile } = setUp(true);
    writeFileSync(path, `${alive}\n`);
    pidfile.check(path);
    pidfile.hold(path, log);
    expect(readFileSync(`${path}.2`, 'utf8')).toBe(own);
    expect(() => pidfile.promote(log)).toThrow('which is running');
    rmSync(path);
    pidfile.promote(log);
    pidfile.hold(path, log);
    expect(readdirSync(folder)).toEqual(['x.pid']);
    expect(readFileSync(path, 'utf8')).toBe(own);
    pidfile.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes the place of one that a killed master left', () => {
    const { folder, path, log, pidfile } = setUp(true);
    writeFileSync(path, '999999999\n');
    pidfile.hold(path, log);
    pidfile.promote(log);
    expect(readdirSync(folder)).toEqual(['x.pid']);
  });
});
