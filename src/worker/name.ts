/** How this worker is named: in log lines, as fields of theirs, to hooks, and in the list of processes. */

import type { WorkerOrder } from '../ipc/order.ts';

export interface WorkerName {
  /** Its number. It changes when the worker takes over that of one which has left; so nobody may keep it. */
  worker: number;
  readonly generation: number;
}

/** The title of the process. An app may set another one, which then stays. */
export class Title {
  private readonly before: string;
  private readonly after: string;
  private shown = process.title;

  constructor({ app, settings }: Pick<WorkerOrder, 'app' | 'settings'>) {
    this.before = settings.procName;
    this.after = app;
  }

  show({ worker, generation }: WorkerName): void {
    if (process.title !== this.shown) return;
    process.title = `${this.before}: worker ${worker}, generation ${generation} [${this.after}]`;
    // The system may have cut it.
    this.shown = process.title;
  }
}
