import { describe, expect, it } from 'vitest';
import { foreignNames } from '../../../src/config/names/elsewhere.ts';
import { gunicornOptions, gunicornSettings, sharedNames } from '../../../src/config/names/gunicorn.ts';
import { explainUnknown, settingCalled, type Where } from '../../../src/config/names/names.ts';

describe('a name that is no setting is told what was most likely meant', () => {
  it.each<[Where, string, unknown, string | undefined]>([
    ['file', 'wrokers', 3, 'did you mean workers?'],
    ['file', 'worker_class', 'sync', 'write workerClass'],
    ['file', 'worker-class', 'sync', 'write workerClass'],
    ['file', 'WORKERS', 3, 'write workers'],
    ['file', 'pre_fork', undefined, 'write preFork'],
    ['file', 'prefork', undefined, 'did you mean preFork?'],
    ['file', 'raw_env', ['A=1'], 'write env'],
    ['file', 'keepalive', 5, 'write keepAlive'],
    ['file', 'errorlog', '-', 'write errorLogfile'],
    [
      'file',
      'port',
      3000,
      'write bind: "127.0.0.1:3000" to serve this machine only, or bind: "0.0.0.0:3000" for all of its addresses',
    ],
    ['file', 'wsgi_app', 'x:y', 'name the app on the command line: tsgun APP'],
    ['file', 'exec_mode', 'cluster', 'write workerClass'],
    ['file', 'max_memory_restart', '200M', 'write maxWorkerMemory (in MiB, without a unit)'],
    ['file', 'xyzzyxyzzy', 1, undefined],
    ['file', '__proto__', 1, undefined],
    ['file', 'constructor', 1, undefined],
    ['option', 'workres', '4', 'did you mean --workers?'],
    ['option', 'worker_class', 'sync', 'write --worker-class'],
    ['option', 'workerClass', 'sync', 'write --worker-class'],
    ['option', 'log-file', '-', 'write --error-logfile'],
    ['option', 'name', 'x', 'write --proc-name'],
    ['option', 'i', 'max', 'write --workers ("auto" in place of "max")'],
    [
      'option',
      'port',
      '3000',
      'write --bind 127.0.0.1:3000 to serve this machine only, or --bind 0.0.0.0:3000 for all of its addresses',
    ],
    [
      'option',
      'port',
      true,
      'write --bind 127.0.0.1:8000 to serve this machine only, or --bind 0.0.0.0:8000 for all of its addresses',
    ],
    ['option', 'host', '::1', 'write --bind [::1]:8000, with the port'],
    ['option', 'pre-fork', 'x', 'preFork is a hook, which only a config module can have'],
    ['environment', 'WROKERS', '3', 'did you mean TSGUN_WORKERS?'],
    ['environment', 'ERRORLOG', '-', 'write TSGUN_ERROR_LOGFILE'],
    [
      'environment',
      'PORT',
      '80',
      'write TSGUN_BIND=127.0.0.1:80 to serve this machine only, or TSGUN_BIND=0.0.0.0:80 for all of its addresses',
    ],
  ])('%s: %s', (where, name, value, hint) => expect(explainUnknown(name, where, value)).toBe(hint));

  it('every name of gunicorn and of other programs is explained, and none is guessed wrong', () => {
    for (const name of [...sharedNames, ...Object.keys(gunicornSettings)])
      expect(explainUnknown(name, 'file'), name).toMatch(/^(write [a-z]|tsgun has no counterpart|[^?]+$)/);
    for (const name of Object.keys(gunicornOptions))
      expect(explainUnknown(name, 'option'), name).not.toMatch(/did you mean/);
    for (const name of Object.keys(foreignNames)) expect(explainUnknown(name, 'option') ?? '', name).not.toMatch(/\.$/);
  });
});

describe('--help NAME finds a setting', () => {
  it.each([
    ['workers', 'workers'],
    ['w', 'workers'],
    ['worker-class', 'workerClass'],
    ['workerClass', 'workerClass'],
    ['worker_class', 'workerClass'],
    ['TSGUN_WORKER_CLASS', 'workerClass'],
    ['raw_env', 'env'],
    ['accounts', undefined],
    ['constructor', undefined],
  ])('by %s: %s', (asked, name) => expect(settingCalled(asked)).toBe(name));
});
