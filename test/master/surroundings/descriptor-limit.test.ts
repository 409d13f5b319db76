import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../../src/config/load.ts';
import { connectionCapacity, descriptorLimit } from '../../../src/descriptors.ts';
import { checkDescriptorLimit } from '../../../src/master/surroundings/descriptor-limit.ts';

const configured = (values: Record<string, unknown> = {}) =>
  resolveSettings([{ name: '--worker-connections', values }] as never);

describe('the descriptor limit', () => {
  it('is the soft one', () => {
    const limits = (soft: string) => () =>
      `Limit                     Soft Limit           Hard Limit           Units     \nMax processes             7   7   processes \nMax open files            ${soft}                 524288               files     \n`;
    expect(descriptorLimit(limits('1024'))).toBe(1024);
    expect(descriptorLimit(limits('unlimited'))).toBe(undefined);
    expect(descriptorLimit(() => '')).toBe(undefined);
  });

  it('that leaves no room for a worker ends the start with the figure and the remedy', () => {
    expect(() => checkDescriptorLimit(configured(), 36)).toThrow(
      'descriptors: the limit is 36 open files for each process, and a worker of the class async needs at least 40: raise it with ulimit -n, LimitNOFILE= (systemd) or --ulimit nofile= (Docker)',
    );
    expect(() => checkDescriptorLimit(configured({ workerClass: 'threaded', threads: 8 }), 64)).toThrow(
      'a threaded worker with 8 threads needs at least 72',
    );
  });

  it('that leaves less than --worker-connections asks for is a warning, and none where nobody asked', () => {
    expect(checkDescriptorLimit(configured(), 1024)).toBe(undefined);
    expect(checkDescriptorLimit(configured({ workerConnections: 500 }), 1024)).toBe(undefined);
    expect(checkDescriptorLimit(configured({ workerConnections: 1000 }), 1024)).toMatch(
      /^workerConnections: the limit of 1024 file descriptors leaves room for about 732 connections in each worker, and not for 1000 \(--worker-connections\): raise it/,
    );
  });
});

describe('the connections of a worker', () => {
  it('are what was asked for, where the limit is high or not known', () => {
    expect(connectionCapacity(10_000, 20_000, 30)).toBe(10_000);
    expect(connectionCapacity(10_000, undefined, undefined)).toBe(10_000);
  });

  it('leave the app a quarter of the limit, or half of a low one', () => {
    expect(connectionCapacity(10_000, 4096, 32)).toBe(4096 - 32 - 8 - 1024);
    expect(connectionCapacity(10_000, 64, 32)).toBe(12);
    expect(connectionCapacity(10_000, 40, 36)).toBe(1);
  });
});
