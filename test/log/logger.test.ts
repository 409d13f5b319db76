/** Who hears of the faults of standard error. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { outputSink } from '../../src/log/output.ts';
import { createLogger, type LogSettings, logOutput, type OwnLogger, sayOnStandardError } from '../../src/logger.ts';

const onStderr: LogSettings = { errorLogfile: '-', logFormat: 'json', logLevel: 'info' };
const stderr = outputSink('stderr');
const error = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
let printed: unknown[] = [];

beforeEach(() => {
  printed = [];
  vi.spyOn(stderr, 'write').mockImplementation((line) => void printed.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ['stdout', 'stderr'] as const) {
    outputSink(name).onDropped = undefined;
    outputSink(name).onFailure = undefined;
  }
});

function fileLog(): { settings: LogSettings; read: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const errorLogfile = join(folder, 'error.log');
  return { settings: { ...onStderr, errorLogfile }, read: () => readFileSync(errorLogfile, 'utf8') };
}

describe('standard error', () => {
  it('that cannot be written is reported by a log in a file, and after a reload to `-` not to itself', () => {
    const { settings, read } = fileLog();
    const file = createLogger(settings);
    let current: OwnLogger = file;
    logOutput(() => current);
    stderr.onFailure!(error);
    expect(read()).toContain('stderr cannot be written');
    current = createLogger(onStderr);
    stderr.onFailure!(error);
    stderr.onDropped!({ lines: 3, bytes: 100 });
    // The report of missing lines stands in their place.
    expect(printed).toEqual([expect.stringContaining('"log_dropped"')]);
    file.close();
  });

  it('after a reload to a file, is reported there', () => {
    const { settings, read } = fileLog();
    let current: OwnLogger = createLogger(onStderr);
    logOutput(() => current);
    current = createLogger(settings);
    stderr.onFailure!(error);
    stderr.onDropped!({ lines: 3, bytes: 100 });
    expect(read()).toMatch(/stderr cannot be written.*log_dropped/s);
    expect(printed).toEqual([]);
    current.close();
  });

  it('keeps who hears of its faults when a line is said on it beside the log', () => {
    const { settings } = fileLog();
    const file = createLogger(settings);
    logOutput(() => file);
    const { onDropped, onFailure } = stderr;
    sayOnStandardError(settings, 'error', {}, 'beside the log');
    expect(printed).toEqual([expect.stringContaining('beside the log')]);
    expect([stderr.onDropped, stderr.onFailure]).toEqual([onDropped, onFailure]);
    file.close();
  });
});
