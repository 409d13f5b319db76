import { describe, expect, it } from 'vitest';
import { freeMemory } from '../../../src/config/machine/memory.ts';

const meminfo = { '/proc/meminfo': 'MemTotal:       2000 kB\nMemFree:         100 kB\nMemAvailable:   1000 kB\n' };
const v2 = (path: string, max: string, current: number, inactive?: number) => ({
  [`/sys/fs/cgroup${path}/memory.max`]: `${max}\n`,
  [`/sys/fs/cgroup${path}/memory.current`]: `${current}\n`,
  ...(inactive === undefined ? {} : { [`/sys/fs/cgroup${path}/memory.stat`]: `anon 5\ninactive_file ${inactive}\n` }),
});

describe('the memory that this process may still take', () => {
  it.each<[string, number, Record<string, string>]>([
    ['no control groups: what the machine has, caches included', 1_024_000, meminfo],
    ['nothing is known of the machine but what Node says', 777, {}],
    ['a group without a limit', 1_024_000, { ...meminfo, '/proc/self/cgroup': '0::/a\n', ...v2('/a', 'max', 5000) }],
    ['what a group leaves', 3000, { ...meminfo, '/proc/self/cgroup': '0::/a\n', ...v2('/a', '8000', 5000) }],
    [
      'caches in the group can be taken back',
      3700,
      { ...meminfo, '/proc/self/cgroup': '0::/a\n', ...v2('/a', '8000', 5000, 700) },
    ],
    [
      'the least along the path',
      1000,
      { ...meminfo, '/proc/self/cgroup': '0::/a/b\n', ...v2('/a/b', '8000', 5000), ...v2('/a', '9000', 8000) },
    ],
    ['a group that is over its limit', 0, { ...meminfo, '/proc/self/cgroup': '0::/a\n', ...v2('/a', '8000', 9000) }],
    [
      'version 1',
      4000,
      {
        ...meminfo,
        '/proc/self/cgroup': '4:memory:/x\n',
        '/sys/fs/cgroup/memory/x/memory.limit_in_bytes': '10000\n',
        '/sys/fs/cgroup/memory/x/memory.usage_in_bytes': '7000\n',
        '/sys/fs/cgroup/memory/x/memory.stat': 'inactive_file 1\ntotal_inactive_file 1000\n',
      },
    ],
    ['garbage', 1_024_000, { ...meminfo, '/proc/self/cgroup': '0::/a\n', ...v2('/a', 'soon', 5) }],
  ])('%s', (_, bytes, files) => {
    expect(freeMemory((path) => files[path], files['/proc/meminfo'] === undefined ? 777 : undefined)).toBe(bytes);
  });
});
