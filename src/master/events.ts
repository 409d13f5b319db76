/** The events that reach the master: from children, the system, or its own timers. */

import type { WatchdogMessage, WorkerMessage } from '../ipc/messages.ts';
import type { Aftermath } from './canary/aftermath.ts';
import type { Judgement } from './canary/trial.ts';
import type { Command, Origin, StopRequest } from './commands.ts';
import type { Prepared } from './generations/generations.ts';
import type { Child } from './pool.ts';
import type { Scaling } from './scaling/autoscaler.ts';

export interface CommandEvent {
  readonly type: 'command';
  readonly command: Command;
  readonly origin: Origin;
  /** When it was given, by `performance.now()`. */
  readonly at: number;
}

export type MasterEvent =
  | CommandEvent
  | { type: 'message'; child: Child; message: WorkerMessage | WatchdogMessage }
  | { type: 'exit'; child: Child; code: number | null; signal: NodeJS.Signals | null }
  | { type: 'watchdog' }
  /** The load needs another number of workers. */
  | { type: 'load'; scaling: Scaling }
  /** The trial of a new generation is over. */
  | { type: 'judged'; judgement: Judgement }
  /** A generation has gone bad after its roll-out. */
  | { type: 'went_bad'; aftermath: Aftermath }
  /** A client of the control socket wants something done in the loop. */
  | { type: 'control'; act: () => void }
  | Prepared;

export function commandEvent(command: Command, origin: Origin): CommandEvent {
  return { type: 'command', command, origin, at: performance.now() };
}

export function isStop(event: MasterEvent): event is CommandEvent & StopRequest {
  return event.type === 'command' && (event.command === 'stop' || event.command === 'quit');
}
