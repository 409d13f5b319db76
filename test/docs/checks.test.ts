import { expect, it } from 'vitest';
import { checkAll, type Facts } from './checks.ts';
import { slugOf } from './markdown.ts';

const events = Array.from({ length: 10 }, (_, index) => `event_${'abcdefghij'[index]}`);
const facts: Facts = {
  exists: (path) =>
    ['README.md', 'docs/settings.md', 'docs/control.md', 'docs/signals.md', 'docs/troubleshooting.md', 'apps'].includes(
      path,
    ),
  settings: ['workers'],
  options: new Set(['--workers', '--help']),
  commands: ['status'],
  events,
  signals: ['SIGHUP'],
  variables: new Set(['TSGUN_WORKERS']),
};

const good = {
  'README.md':
    '[a](docs/settings.md#workers) [b](docs/signals.md) [c](docs/troubleshooting.md) [d](apps) [e](docs/control.md)',
  'docs/index.md': ['settings', 'signals', 'troubleshooting', 'control'].map((name) => `[x](${name}.md)`).join(' '),
  'docs/settings.md': '# Settings\n\n### workers\n\n`--workers 2`, `TSGUN_WORKERS`',
  'docs/control.md': '`tsgun status`',
  'docs/signals.md': '| HUP | reload |\n\n```sh\ntsgun app.ts --workers 2 -- --own option\n```',
  'docs/troubleshooting.md': events.map((name) => `\`${name}\``).join('\n'),
};

/** What the checks say of the good pages with some of them replaced. */
const check = (changed: Record<string, string> = {}, others: Partial<Facts> = {}) =>
  checkAll(
    Object.entries({ ...good, ...changed }).map(([name, text]) => ({ name, text })),
    { ...facts, ...others },
  );

it('pages without a fault pass', () => expect(check()).toEqual([]));

it.each([
  ['a link to no file', '[x](../gone.md)', 'docs/settings.md:7 links to ../gone.md, which does not exist'],
  [
    'a link to no heading',
    '[x](#worker)',
    'docs/settings.md:7 links to #worker, a heading that docs/settings.md does not have',
  ],
  ['an option that does not exist', '`--wrokers`', 'docs/settings.md:7 names --wrokers, which tsgun does not have'],
  [
    'such an option in a command',
    '```sh\ntsgun app.ts \\\n  --wrokers 4\n```',
    'docs/settings.md:8 names --wrokers, which tsgun does not have',
  ],
  [
    'a variable that does not exist',
    '`TSGUN_WROKERS`',
    'docs/settings.md:7 names TSGUN_WROKERS, which tsgun does not have',
  ],
])('%s is found', (_, text, fault) => {
  expect(check({ 'docs/settings.md': `${good['docs/settings.md']}\n\n${text}` })).toEqual([fault]);
});

it('a page that no other one links to is found', () => {
  expect(check({ 'docs/lonely.md': '# Lonely' })).toEqual([
    'docs/lonely.md: no page links to it',
    'docs/index.md does not list docs/lonely.md',
  ]);
});

it('a setting, a command, an event or a signal that is missing is found', () => {
  expect(check({}, { commands: ['status', 'stop'] })).toEqual(['docs/control.md does not have stop']);
  expect(check({}, { settings: ['workers', 'threads'] })).toEqual(['docs/settings.md does not have threads']);
  expect(check({}, { events: [...events, 'event_k'] })).toEqual(['docs/troubleshooting.md does not have event_k']);
  expect(check({}, { signals: ['SIGHUP', 'SIGTERM'] })).toEqual(['docs/signals.md does not have SIGTERM']);
});

it('events that cannot be found in the code are a fault, not a pass', () => {
  expect(check({}, { events: [] })).toEqual([expect.stringContaining('were not found')]);
});

it('links in code are no links', () => {
  expect(
    check({ 'docs/signals.md': `${good['docs/signals.md']}\n\n\`[x](gone.md)\`\n\n\`\`\`\n[x](gone.md)\n\`\`\`` }),
  ).toEqual([]);
});

it.each([
  ['A proxy on a unix socket', 'a-proxy-on-a-unix-socket'],
  ['`run(app, settings)`: a service', 'runapp-settings-a-service'],
  ['--config', '--config'],
  ['A worker has ended: `worker_exited`', 'a-worker-has-ended-worker_exited'],
])('the anchor of "%s" is GitHub’s', (heading, slug) => expect(slugOf(heading)).toBe(slug));
