import { describe, expect, it } from 'vitest';
import { usableCpus } from '../../../src/config/machine/cpus.ts';

const v1 = (path: string, quota: string, period = '100000') => ({
  [`/sys/fs/cgroup/${path}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`/sys/fs/cgroup/${path}/cpu.cfs_period_us`]: `${period}\n`,
});

describe('--workers auto counts the CPUs that this process may use', () => {
  it.each<[string, number, Record<string, string>]>([
    ['no control groups', 8, {}],
    ['version 2, no limit', 8, { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': 'max 100000\n' }],
    ['version 2, two CPUs', 2, { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': '200000 100000\n' }],
    ['rounded up', 2, { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': '110000 100000\n' }],
    ['half a CPU', 1, { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': '50000 100000\n' }],
    ['another period', 3, { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': '30000 10000\n' }],
    ['more than the affinity', 8, { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '6400000 100000\n' }],
    [
      'a container: the root of its own',
      4,
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '400000 100000' },
    ],
    [
      'the least along the path',
      3,
      {
        '/proc/self/cgroup': '0::/a/b/c\n',
        '/sys/fs/cgroup/a/b/c/cpu.max': '500000 100000',
        '/sys/fs/cgroup/a/b/cpu.max': 'max 100000',
        '/sys/fs/cgroup/a/cpu.max': '300000 100000',
      },
    ],
    [
      'a path from outside of the namespace',
      2,
      { '/proc/self/cgroup': '0::/../../b\n', '/sys/fs/cgroup/b/cpu.max': '200000 100000' },
    ],
    ['version 1', 3, { '/proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/a\n', ...v1('cpu,cpuacct/a', '250000') }],
    ['version 1 at its usual link', 3, { '/proc/self/cgroup': '3:cpu,cpuacct:/a\n', ...v1('cpu/a', '250000') }],
    ['version 1, no limit', 8, { '/proc/self/cgroup': '3:cpu:/a\n', ...v1('cpu/a', '-1') }],
    [
      "version 1, the host's path in a container",
      2,
      { '/proc/self/cgroup': '3:cpu:/docker/7f\n', ...v1('cpu', '200000') },
    ],
    [
      'cpuset and cpuacct, which limit no time',
      8,
      { '/proc/self/cgroup': '3:cpuset:/a\n', ...v1('cpuset/a', '100000') },
    ],
    [
      'both versions',
      2,
      {
        '/proc/self/cgroup': '1:cpu:/a\n0::/b\n',
        ...v1('cpu/a', '200000'),
        '/sys/fs/cgroup/b/cpu.max': '300000 100000',
      },
    ],
    ['garbage', 8, { '/proc/self/cgroup': 'x\n0::/a\n:::\n', '/sys/fs/cgroup/a/cpu.max': 'soon' }],
    ['a quota of nothing', 8, { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': '0 100000' }],
  ])('%s: %i of 8', (_, expected, files) => {
    expect(usableCpus((path) => files[path], 8)).toBe(expected);
  });

  it('and here at least one', () => expect(usableCpus()).toBeGreaterThanOrEqual(1));
});
