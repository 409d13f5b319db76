import { describe, expect, it } from 'vitest';
import { MemoryKills } from '../../../src/master/children/memory-kills.ts';

/** A machine whose files say what they are set to. */
function machine(files: Record<string, string>): { kills: MemoryKills; files: Record<string, string> } {
  return { kills: new MemoryKills((path) => files[path]), files };
}

const events = (count: number) => `low 0\nhigh 0\nmax 12\noom ${count}\noom_kill ${count}\noom_group_kill 0\n`;
const control = (count: number) => `oom_kill_disable 0\nunder_oom 0\noom_kill ${count}\n`;
const vmstat = (count: number) => `nr_free_pages 1\noom_kill ${count}\nnumb 2\n`;

describe('kills by the kernel for lack of memory', () => {
  it.each([
    ['version 2', '0::/app.slice/app.service\n', '/sys/fs/cgroup/app.slice/app.service/memory.events', events],
    ['version 2 in a container', '0::/host/path\n', '/sys/fs/cgroup/memory.events', events],
    ['version 1', '4:memory:/docker/ab\n0::/\n', '/sys/fs/cgroup/memory/docker/ab/memory.oom_control', control],
  ])('are counted by the control group: %s', (_, groups, path, text) => {
    const { kills, files } = machine({ '/proc/self/cgroup': groups, [path]: text(3), '/proc/vmstat': vmstat(9) });
    expect(kills.take()).toBeUndefined();
    files['/proc/vmstat'] = vmstat(10);
    expect(kills.take()).toBeUndefined();
    files[path] = text(4);
    expect(kills.take()).toBe('cgroup');
    expect(kills.take()).toBeUndefined();
  });

  it('are counted by the machine where no control group does', () => {
    const { kills, files } = machine({ '/proc/self/cgroup': '0::/\n', '/proc/vmstat': vmstat(9) });
    files['/proc/vmstat'] = vmstat(10);
    expect(kills.take()).toBe('machine');
  });

  it('of two workers at once explain two exits', () => {
    const { kills, files } = machine({ '/proc/vmstat': vmstat(0) });
    files['/proc/vmstat'] = vmstat(2);
    expect([kills.take(), kills.take(), kills.take()]).toEqual(['machine', 'machine', undefined]);
  });

  it('explain an exit that is told a while later, but not one of ten seconds later', () => {
    const { kills, files } = machine({ '/proc/vmstat': vmstat(0) });
    kills.check(5000);
    files['/proc/vmstat'] = vmstat(1);
    kills.check(10_000);
    kills.check(14_999);
    expect(kills.take()).toBe('machine');
    files['/proc/vmstat'] = vmstat(2);
    kills.check(15_000);
    kills.check(20_000);
    expect(kills.take()).toBeUndefined();
  });

  it('are not known where nothing counts them', () => {
    expect(machine({}).kills.take()).toBeUndefined();
  });
});
