import { describe, expect, it } from 'vitest';
import { type AllocationNode, largest } from '../../../src/worker/watchdog/allocations.ts';

function node(functionName: string, url: string, line: number, selfSize: number, ...children: AllocationNode[]) {
  const callFrame = { functionName, url, scriptId: url, lineNumber: line - 1, columnNumber: 0 };
  return { callFrame, selfSize, children };
}

describe('what a worker holds', () => {
  it('is of the functions of the app, also what they allocate through Node and V8', () => {
    const head = node(
      '(root)',
      '',
      0,
      1000,
      node('processTicks', 'node:internal', 1, 500, node('cache', '/app.js', 3, 10, node('push', '', 0, 30))),
      node('handle', '/app.js', 7, 5, node('cache', '/app.js', 3, 40, node('emit', 'node:events', 9, 20))),
      node('a', '/app.js', 20, 4),
      node('b', '/app.js', 21, 3),
    );
    expect(largest(head, new Map())).toEqual([
      { site: 'cache (/app.js:3:1)', bytes: 100 },
      { site: 'handle (/app.js:7:1)', bytes: 5 },
      { site: 'a (/app.js:20:1)', bytes: 4 },
    ]);
  });
});
