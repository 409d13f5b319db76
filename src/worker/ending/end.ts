/** At the end of the process, whatever its reason: logs the requests that are cut, and cuts their connections. */

import { mostListed } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Exit } from './exit.ts';

/** To be called once the worker serves: its listener then runs after those of the app, which may still answer. */
export function watchForEnd({ log, exit }: { readonly log: Logger; readonly exit: Exit }): void {
  process.once('exit', (code) => {
    const serving = exit.worker?.serving;
    if (serving === undefined) return;
    // The app called `process.exit`: only this line can name the requests that it cut.
    if (!exit.isLeaving) {
      const cut = serving.running();
      const fields = { ...exit.name, reason: 'crashed', code, cut: cut.length, running: cut.slice(0, mostListed) };
      log.event(
        'error',
        'worker_recycled',
        fields,
        'the app has ended its process (process.exit): its requests are cut',
      );
    }
    serving.cutUnfinished();
  });
}
