/** What the master is told, by whom it may be. */

import type { WatchdogMessage, WorkerMessage } from '../ipc/messages.ts';
import type { Command } from './commands.ts';
import type { Prepared } from './generations/generations.ts';
import type { Child } from './pool.ts';

export type MasterEvent =
  | { type: 'command'; command: Command; signal: NodeJS.Signals }
  | { type: 'message'; child: Child; message: WorkerMessage | WatchdogMessage }
  | { type: 'exit'; child: Child; code: number | null; signal: NodeJS.Signals | null }
  | { type: 'watchdog' }
  | Prepared;

export function isStop(event: MasterEvent): boolean {
  return event.type === 'command' && (event.command === 'stop' || event.command === 'quit');
}
