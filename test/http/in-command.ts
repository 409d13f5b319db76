/** The real command in a process of its own, as a target: master, workers and all. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Target } from './observe.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Resolves when it listens. */
export async function openCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Target> {
  const server = spawn(process.execPath, [command, '--bind', '127.0.0.1:0', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(server, 'exit');
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      lines.push(line);
      const [, found] = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(line) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
    void exited.then(() => reject(new Error(`tsgun ended:\n${lines.join('\n')}`)));
  });
  return {
    host: '127.0.0.1',
    port,
    async close() {
      server.kill('SIGINT');
      await exited;
    },
  };
}
