import { expect, it } from 'vitest';
import { commandOptions } from '../../../src/config/command-options.ts';
import { kebabCase } from '../../../src/config/kebab-case.ts';
import { renderHelp, renderHelpOf } from '../../../src/config/pages/help.ts';
import { settingNames } from '../../../src/config/settings.ts';

const pageOf = (name: string) => renderHelpOf(name).page ?? '';
const tooLong = (text: string) => text.split('\n').filter((line) => line.length > 80);

it('--help names every option, and has no line of more than 80 columns', () => {
  const help = renderHelp(String);
  expect(tooLong(help)).toEqual([]);
  for (const name of [...settingNames.map(kebabCase), ...Object.keys(commandOptions)])
    expect(help).toMatch(new RegExp(`^ {2}(-\\w, | {4})--${name}\\b`, 'm'));
});

it.each([...settingNames, ...Object.keys(commandOptions)])(
  '--help %s fits into 80 columns, and shows the option',
  (name) => {
    expect(tooLong(pageOf(name))).toEqual([]);
    expect(pageOf(name)).toMatch(new RegExp(`^(-\\w, )?--${kebabCase(name)}\\b`));
  },
);

it('--help workers', () => {
  expect(pageOf('workers')).toBe(`-w, --workers N|auto

  Worker processes; auto: one per usable CPU.

  "auto" counts the CPUs that this process may use; it respects CPU affinity
  and the limits of control groups. With $WEB_CONCURRENCY set, that is the
  default. The signals TTIN and TTOU change the number while tsgun runs.

  Default      1
  Option       --workers auto
  Config file  workers: "auto"
  Environment  TSGUN_WORKERS=auto
  In gunicorn  workers`);
});
