/** How the tests reach the scripts of bench/, and runs as these make them. */

import { pathToFileURL } from 'node:url';

export type Summary = { median: number; low: number; high: number; spread: number; count: number };
export type Turn = { scenario: string; peer: string; round: number };
export type Run = Turn & {
  at: string;
  seconds: number;
  calibrationMs: number;
  versions: Record<string, string>;
  figures?: Record<string, unknown>;
  error?: string;
};
export type Scenario = {
  id: string;
  title: string;
  about: string;
  day: 'good' | 'bad';
  rounds?: number;
  isMain?: boolean;
  chart?: unknown;
  run: unknown;
};
export type Peer = {
  id: string;
  name: string;
  kind: string;
  about: string;
  lacks?: Record<string, string>;
  find(): Record<string, string>;
  command(place: { port: number; workers: number; folder: string }): {
    command: string[];
    env?: Record<string, string>;
  };
};

/** They are scripts without declarations: the types are those of their comments. */
export const load = async <T>(path: string) => (await import(pathToFileURL(`bench/${path}`).href)) as T;

export const run = (scenario: string, peer: string, round: number, figures: Record<string, unknown>): Run => ({
  ...{ scenario, peer, round, figures, at: '2026-01-01T00:00:00Z', seconds: 1, calibrationMs: 10 },
  versions: { [peer]: '1.0' },
});
export const failedRun = (scenario: string, peer: string, round: number, error: string): Run => {
  const { figures: _, ...rest } = run(scenario, peer, round, {});
  return { ...rest, error };
};
