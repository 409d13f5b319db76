/** The table of events against the code that logs them. The harness checks the fields of every line that a test sees. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { declarationOfEvent, events } from '../../src/log/events.ts';
import { undeclaredIn } from '../integration/harness.ts';

const src = new URL('../../src/', import.meta.url);

/** `event(level, 'name'`, where the level may be a call. */
function loggedIn(text: string): [level: string | undefined, event: string][] {
  return text
    .split('.event(')
    .slice(1)
    .flatMap((call) => {
      const names = [...call.slice(0, 200).matchAll(/'([a-z_]+)'/g)].map(([, name = '']) => name);
      const at = names.findIndex((name) => declarationOfEvent(name) !== undefined || name.includes('_'));
      return at === -1 ? [] : [[at === 0 ? undefined : names[at - 1], names[at]!] as [string | undefined, string]];
    });
}

const logged = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => loggedIn(readFileSync(new URL(file, src), 'utf8')));

describe('the events of the log', () => {
  it('are declared, each that some code logs, with its level', () => {
    expect(logged.length).toBeGreaterThan(20);
    for (const [level, event] of logged) {
      expect(declarationOfEvent(event), event).toBeDefined();
      if (level !== undefined) expect(declarationOfEvent(event)?.levels, event).toContain(level);
    }
  });

  it('are logged by some code, each that is declared', () => {
    const names = new Set(logged.map(([, event]) => event));
    expect(Object.keys(events).filter((name) => !names.has(name))).toEqual([]);
  });

  it('a line with an event, a level or a field that is not declared is found', () => {
    const line = { pid: 1, msg: '', level: 'info' };
    expect(undeclaredIn({ ...line, event: 'listening', address: 'x' })).toEqual([]);
    expect(undeclaredIn({ ...line, event: 'made_up' })).toEqual(['made_up']);
    expect(undeclaredIn({ ...line, level: 'warn', event: 'listening', size: 1 })).toEqual([
      'listening.size',
      'listening.warn',
    ]);
    expect(undeclaredIn({ ...line, extra: 1 })).toEqual([]);
  });
});

const hasJq = spawnSync('jq', ['--version']).status === 0;

it.runIf(hasJq)('the recipe for Elastic of docs/log.md gives its names', () => {
  const page = readFileSync(new URL('../../docs/log.md', import.meta.url), 'utf8');
  const filter = /jq --unbuffered -c -R '(.*?)'/s.exec(page)![1]!;
  const input = '{"level":"info","time":"T","event":"listening","pid":7,"address":"x","msg":"m"}\nnot JSON\n';
  const { stdout } = spawnSync('jq', ['-c', '-R', filter], { input, encoding: 'utf8' });
  const [line, other] = stdout.trim().split('\n');
  expect(JSON.parse(line!)).toEqual({
    '@timestamp': 'T',
    'ecs.version': expect.any(String),
    'log.level': 'info',
    message: 'm',
    'event.action': 'listening',
    'process.pid': 7,
    tsgun: { address: 'x' },
  });
  expect(JSON.parse(other!)).toMatchObject({ message: 'not JSON' });
});
