import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config/load.ts';
import { parseCommandLine } from '../../src/config/sources/command-line.ts';
import { unknownVariables } from '../../src/config/sources/sources.ts';
import { Expected } from '../../src/config/values/parser.ts';
import { account, fileMask, variables } from '../../src/config/values/parsers.ts';

describe('a file mode mask', () => {
  it.each([
    ['022', 0o22],
    ['22', 0o22],
    ['0o22', 0o22],
    ['0', 0],
    ['0077', 0o77],
    [18, 0o22],
    [0, 0],
  ])('%j', (raw, mask) => expect(fileMask(raw)).toBe(mask));

  it.each(['18', '0x12', '', '-1', '1000', '00777777', -1, 512, 1.5, null, {}])('is not %j', (raw) => {
    expect(() => fileMask(raw)).toThrow(Expected);
  });
});

describe('variables for the workers', () => {
  it.each<[unknown, Record<string, string>]>([
    ['A=1', { A: '1' }],
    ['A=x=y, z', { A: 'x=y, z' }],
    ['A=1\nB=\n', { A: '1', B: '' }],
    [['A=1', 'B=2', 'A=3'], { A: '3', B: '2' }],
    [
      { A: 1, B: true, C: 'c' },
      { A: '1', B: 'true', C: 'c' },
    ],
    [{}, {}],
  ])('%j', (raw, expected) => expect(variables(raw)).toEqual(expected));

  it.each(['A', '=1', [['A=1']], ['A'], { A: null }, { 'A=': '1' }, { A: 'x\0' }, 5, null])('are not %j', (raw) => {
    expect(() => variables(raw)).toThrow(Expected);
  });
});

describe('a user or group', () => {
  it.each(['www-data', '_www', '1000', '0', 'a.b@c$'])('%s', (text) => expect(account(text)).toBe(text));
  it('may be a number in a file', () => expect(account(33)).toBe('33'));
  it.each(['', 'a b', 'a:b', '-u', '12ab', '4294967295', -1, 1.5, null, {}])('is not %j', (raw) => {
    expect(() => account(raw)).toThrow(Expected);
  });
});

describe('a setting that is not set by default', () => {
  it('can be unset by a config file that ranks higher, with null', () => {
    const { settings } = resolveSettings([
      { name: 'a', values: { user: 'web', pidfile: '/x' } },
      { name: 'b', values: { user: null } },
    ]);
    expect(settings).toMatchObject({ user: undefined, pidfile: '/x', chdir: undefined, umask: undefined });
  });
});

describe('log levels', () => {
  it.each(['INFO', 'Warning', 'debug'])('%s', (level) => {
    expect(resolveSettings([{ name: 'x', values: { logLevel: level } }]).settings.logLevel).toBe(level.toLowerCase());
  });
});

describe('variables that name no setting', () => {
  it.each<[string, string, string[]]>([
    ['TSGUN_WROKERS', '4', ['TSGUN_WROKERS: no such setting, so it is ignored; did you mean TSGUN_WORKERS?']],
    ['TSGUN_XYZZYX_QUUX', '1', ['TSGUN_XYZZYX_QUUX: no such setting, so it is ignored']],
    ['TSGUN_workers', '1', ['TSGUN_workers: no such setting, so it is ignored; write TSGUN_WORKERS']],
    [
      'TSGUN_PORT',
      '80',
      [
        'TSGUN_PORT: no such setting, so it is ignored; write TSGUN_BIND=127.0.0.1:80 to serve this machine only, or TSGUN_BIND=0.0.0.0:80 for all of its addresses',
      ],
    ],
    ['TSGUN_RAW_ENV', 'A=1', ['TSGUN_RAW_ENV: no such setting, so it is ignored; write TSGUN_ENV']],
    ['TSGUN_WORKERS', '4', []],
    ['TSGUN_NO_INTERNALS', '1', []],
    ['TSGUN_WORKER_ORDER', '{}', []],
    ['TSGUN_PORT', 'tcp://10.0.0.1:80', []],
    ['TSGUN_SERVICE_HOST', '10.0.0.1', []],
    ['TSGUN_PORT_80_TCP_ADDR', '10.0.0.1', []],
    ['GUNICORN_CMD_ARGS', '-w 4', ['GUNICORN_CMD_ARGS: it is of gunicorn, and is ignored; write TSGUN_* variables']],
    ['OTHER', '1', []],
  ])('%s=%s', (name, value, warnings) => expect(unknownVariables({ [name]: value })).toEqual(warnings));
});

describe('values attached to letters', () => {
  const read = async (...argv: string[]) => {
    const asked = await parseCommandLine([...argv, 'app.ts']);
    return 'line' in asked ? asked.line : asked;
  };

  it.each<[string[], Record<string, unknown>]>([
    [['-w4'], { workers: '4' }],
    [['-b:8000', '-b[::1]:80'], { bind: [':8000', '[::1]:80'] }],
    [['-p/run/x.pid', '-m022'], { pidfile: '/run/x.pid', umask: '022' }],
    [['-eA_1=b=c', '-e', 'D=-w4'], { env: ['A_1=b=c', 'D=-w4'] }],
    [['-w=4'], { workers: '4' }],
    [
      ['-ksync', '-wauto', '-blocalhost:80', '-t5'],
      { workerClass: 'sync', workers: 'auto', bind: ['localhost:80'], timeout: '5' },
    ],
  ])('%j', async (argv, expected) => expect(await read(...argv)).toMatchObject({ values: expected, problems: [] }));

  it.each(['-z4', '-port', '-wx', '-bind', '-keep'])('%s is refused as the unknown option that it is', async (word) => {
    expect(await read(word)).toMatchObject({ values: {}, problems: [expect.stringContaining('unknown option')] });
  });

  it('and not after --', async () => {
    const asked = await parseCommandLine(['--', '-w4']);
    expect(asked).toMatchObject({ line: { app: '-w4' } });
  });
});
