/** The examples of units in deploy/. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const unit = 'deploy/tsgun.service';

describe(unit, () => {
  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))(
    'is rated below 4 by systemd, which counts what a service may do',
    () => {
      const args = ['security', '--offline=true', '--no-pager', `./${unit}`];
      const report = execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      expect(Number(/Overall exposure level for tsgun\.service: (\d+\.\d)/.exec(report)?.[1])).toBeLessThan(4);
    },
  );

  it('leaves a worker that the kernel kills for its memory to the master', () => {
    expect(readFileSync(unit, 'utf8')).toMatch(/^OOMPolicy=continue$/m);
  });

  it('allows what Node needs: machine code of its own, and the kernel’s list of network interfaces', () => {
    const text = readFileSync(unit, 'utf8');
    expect(text).not.toMatch(/^MemoryDenyWriteExecute=/m);
    expect(text).toMatch(/^RestrictAddressFamilies=.*AF_NETLINK/m);
  });
});
