import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kebabCase } from '../../src/config/kebab-case.ts';
import { resolveSettings } from '../../src/config/load.ts';
import { nearest } from '../../src/config/names/suggest.ts';
import { declarationOf, environmentName, settingNames, table } from '../../src/config/settings.ts';
import { activationWarnings, takeActivation } from '../../src/config/sources/activation.ts';
import { parseCommandLine } from '../../src/config/sources/command-line.ts';
import { commandLineSource, environmentSource, platformSource } from '../../src/config/sources/sources.ts';
import { address, formatAddress } from '../../src/config/values/addresses.ts';
import { Expected } from '../../src/config/values/parser.ts';
import { seconds, wholeNumber, workerCount } from '../../src/config/values/parsers.ts';

describe('the table', () => {
  it.each(settingNames)('%s has a default that its own parser takes, and a help text', (name) => {
    const setting = declarationOf(name);
    if (setting.default !== undefined) expect(() => setting.parse(setting.default)).not.toThrow();
    expect(setting.metavar).not.toBe('');
    expect(setting.help).toMatch(/^[A-Za-z0-9].*\.$/);
  });

  it.each(settingNames)('%s has a help text of one line or two, and an example that its parser takes', (name) => {
    const { help, more = 'None.', example, parse, default: fallback } = declarationOf(name);
    expect(help.length).toBeLessThanOrEqual(85);
    expect(more).toMatch(/^[A-Za-z0-9"].*\.$/);
    expect(() => parse(example)).not.toThrow();
    expect(example).not.toEqual(fallback);
  });

  it.each(settingNames)('%s names only settings and classes that exist', (name) => {
    const { needs = name, classes = [] } = declarationOf(name);
    expect(settingNames).toContain(needs);
    for (const workerClass of classes) expect(() => table.workerClass.parse(workerClass)).not.toThrow();
  });

  it.each(settingNames)('%s shows its checked values so that its parser takes them', (name) => {
    const { parse, example, default: fallback } = declarationOf(name);
    for (const value of [parse(example), parse(fallback)]) expect(parse(parse.show(value))).toEqual(value);
  });

  it('gives no letter to two settings', () => {
    const letters = settingNames.map((name) => declarationOf(name).alias).filter((alias) => alias);
    expect(new Set(letters).size).toBe(letters.length);
  });

  it('names settings as each place does', () => {
    expect(kebabCase('limitRequestFieldSize')).toBe('limit-request-field-size');
    expect(environmentName('limitRequestFieldSize')).toBe('TSGUN_LIMIT_REQUEST_FIELD_SIZE');
  });
});

const flags = settingNames.filter((name) => declarationOf(name).bare !== undefined);

it.each(flags)('%s takes the words that its help names', (name) => {
  const { parse, metavar } = declarationOf(name);
  expect(metavar.split('|').map((word) => parse(word))).toEqual(
    [true, false, 'force'].slice(0, metavar.split('|').length),
  );
});

describe('sources', () => {
  it('rank: default, platform, file, TSGUN_*, command line', () => {
    const env = { WEB_CONCURRENCY: '2', PORT: '5000', TSGUN_BACKLOG: '64', TSGUN_TIMEOUT: '9' };
    const { settings, origins } = resolveSettings([
      ...platformSource(env),
      { name: 'tsgun.config.json', values: { workers: 3, timeout: 8, keepAlive: 7 } },
      ...environmentSource(env),
      ...commandLineSource({ keepAlive: '6' }),
    ]);
    expect(settings).toMatchObject({ workers: 3, timeout: 9, keepAlive: 6, backlog: 64, gracefulTimeout: 30 });
    expect(settings.bind).toEqual([{ kind: 'tcp', host: '0.0.0.0', port: 5000 }]);
    expect(origins).toMatchObject({
      workers: 'tsgun.config.json',
      timeout: 'TSGUN_TIMEOUT',
      keepAlive: '--keep-alive',
      bind: '$PORT',
      gracefulTimeout: 'default',
    });
  });

  it('are checked even where a higher one overrules them', () => {
    const sources = [{ name: '$WEB_CONCURRENCY', values: { workers: 'lots' } }, ...commandLineSource({ workers: '2' })];
    expect(resolveSettings(sources).problems).toEqual([
      'workers: expected a positive whole number up to 1024 or "auto", got "lots" ($WEB_CONCURRENCY)',
    ]);
  });
});

describe('socket activation', () => {
  it.each([
    [
      { LISTEN_PID: '8', LISTEN_FDS: '2' },
      'LISTEN_FDS=2 is ignored, and tsgun listens where bind says: LISTEN_PID says process 8, and this is process 7; have the unit start tsgun itself, not npm, npx or a shell',
    ],
    [{ LISTEN_FDS: '2' }, expect.stringContaining('LISTEN_PID is not set, and this is process 7')],
    [{ LISTEN_PID: '7', LISTEN_FDS: 'two' }, expect.stringContaining('LISTEN_FDS=two is ignored')],
  ])('that cannot be used is warned of: %j', (env, warning) => {
    expect(activationWarnings(env, 7)).toEqual([warning]);
  });

  it.each([
    {},
    { LISTEN_PID: '7', LISTEN_FDS: '2' },
    { LISTEN_PID: '8', LISTEN_FDS: '0' },
    { LISTEN_PID: '8', LISTEN_FDS: '1', TSGUN_ACTIVATED: 'fd://3' },
  ])('that is used, or not there, is not warned of: %j', (env) => {
    expect(activationWarnings(env, 7)).toEqual([]);
  });

  it('takes the place of bind when it is for this process, and leaves no variable behind', () => {
    const env: NodeJS.ProcessEnv = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', PATH: '/bin' };
    const sources = [...commandLineSource({ bind: 'h:1' }), ...takeActivation(env, 7)];
    const { settings, origins } = resolveSettings(sources);
    expect(settings.bind).toEqual([
      { kind: 'fd', fd: 3 },
      { kind: 'fd', fd: 4 },
    ]);
    expect(origins.bind).toBe('$LISTEN_FDS');
    expect(env).toEqual({ PATH: '/bin' });
  });

  it.each([
    ['another process', { LISTEN_PID: '8', LISTEN_FDS: '2' }],
    ['no sockets', { LISTEN_PID: '7', LISTEN_FDS: '0' }],
    ['nonsense', { LISTEN_PID: '7', LISTEN_FDS: 'two' }],
  ])('for %s changes nothing', (_, env) => {
    expect(takeActivation(env, 7)).toEqual([]);
    expect(env).toEqual({});
  });
});

describe('parsers', () => {
  it.each([
    ['127.0.0.1:8000', '127.0.0.1', 8000],
    ['localhost:0', 'localhost', 0],
    [':80', '0.0.0.0', 80],
    ['[::1]:8000', '::1', 8000],
    ['[::]:65535', '::', 65535],
  ])('take the address %s', (text, host, port) => {
    expect(address(text)).toEqual({ kind: 'tcp', host, port });
    if (!text.startsWith(':')) expect(formatAddress(address(text))).toBe(text);
  });

  it.each([
    ['unix:/run/app.sock', { kind: 'unix', path: '/run/app.sock' }, 'unix:/run/app.sock'],
    ['unix:///run/app.sock', { kind: 'unix', path: '/run/app.sock' }, 'unix:/run/app.sock'],
    ['unix:app 1.sock', { kind: 'unix', path: 'app 1.sock' }, 'unix:app 1.sock'],
    ['fd://3', { kind: 'fd', fd: 3 }, 'fd://3'],
  ])('take the address %s', (text, expected, formatted) => {
    expect(address(text)).toEqual(expected);
    expect(formatAddress(address(text))).toBe(formatted);
  });

  it.each([
    'unix:',
    'unix://',
    'unix:a\0b',
    'fd://',
    'fd://x',
    'fd://-1',
    '8000',
    'host',
    'host:',
    '1.2.3.4:65536',
    '::1:80',
    '[::1]',
    'a b:80',
    'h:-1',
    'h:8o',
    '',
    80,
    null,
    'http://h:80',
  ])('refuse the address %j', (text) => expect(() => address(text)).toThrow(Expected));

  it('take numbers from files and digits from texts, and nothing else', () => {
    const whole = wholeNumber(1, 10);
    expect([whole(5), whole('5')]).toEqual([5, 5]);
    for (const bad of ['', ' ', '5.5', '0x5', '1e1', '-5', '+5', 'five', 5.5, 11, 0, Number.NaN, null, true, [], {}])
      expect(() => whole(bad)).toThrow(Expected);
    expect(seconds()('0.25')).toBe(0.25);
    expect(() => seconds()('1s')).toThrow(Expected);
    expect(workerCount('auto')).toBeGreaterThan(0);
    expect(() => workerCount('0')).toThrow(Expected);
  });

  it('never throw anything but Expected', () => {
    fc.assert(
      fc.property(fc.constantFrom(...settingNames), fc.anything(), (name, value) => {
        try {
          table[name].parse(value);
        } catch (error) {
          expect(error).toBeInstanceOf(Expected);
        }
      }),
    );
  });
});

describe('a value that is none of the words of its setting', () => {
  it.each([
    ['workerClass', 'asynch', 'write async'],
    ['workerClass', 'gthread', 'write threaded'],
    ['interface', 'express', 'write node'],
    ['logFormat', 'jsn', 'write json'],
    ['logFormat', 'constructor', undefined],
  ] as const)('%s %s: %s', (name, word, remedy) => {
    const [problem] = resolveSettings([{ name: 'x', values: { [name]: word } }]).problems;
    expect(problem).toMatch(new RegExp(`got "${word}"${remedy === undefined ? '' : `; ${remedy}`} \\(x\\)$`));
  });
});

describe('the command line', () => {
  it.each(['--constructor', '--__proto__', '--toString=5', '-vv', '-vX'])(
    'refuses %s like each unknown option',
    async (word) => {
      const asked = await parseCommandLine(['app.ts', word]);
      const [name] = word.split('=');
      expect(asked).toMatchObject({
        line: { app: 'app.ts', problems: [`${name}: unknown option; tsgun --help lists the options`] },
      });
    },
  );

  it('has every setting as an option, with its letter', async () => {
    expect(await parseCommandLine(['-w', '4', '-k', 'async', '-b', 'h:1', '--bind', 'h:2', 'app.ts:main'])).toEqual({
      type: 'run',
      line: {
        app: 'app.ts:main',
        appArguments: [],
        values: { workers: '4', workerClass: 'async', bind: ['h:1', 'h:2'] },
        problems: [],
      },
    });
  });

  it('takes the last of an option given twice, and an app after --', async () => {
    expect(await parseCommandLine(['--workers=1', '--workers=2', '-c', 'x.json', '--', 'app.ts'])).toEqual({
      type: 'run',
      line: { app: 'app.ts', appArguments: [], config: 'x.json', values: { workers: '2' }, problems: [] },
    });
  });

  it.each([
    [
      ['app.ts', '--', '--flag', 'x', '-w', '4', '--', '007'],
      ['--flag', 'x', '-w', '4', '--', '007'],
    ],
    [['--', 'app.ts', '--flag'], ['--flag']],
    [['app.ts', '--'], []],
  ])('leaves what follows -- to the app: %j', async (argv, appArguments) => {
    const line = { app: 'app.ts', appArguments, values: {}, problems: [] };
    expect(await parseCommandLine(argv)).toEqual({ type: 'run', line });
  });
});

describe('suggestions', () => {
  it.each([
    ['worker', 'workers'],
    ['wrokers', 'workers'],
    ['keepalive', 'keep-alive'],
    ['xyzzy', undefined],
  ])('%s: %s', (typed, expected) => {
    expect(nearest(typed, ['workers', 'keep-alive', 'bind'])).toBe(expected);
  });
});
