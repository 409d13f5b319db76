/**
 * What a start shows on a terminal: one banner when the first worker serves, or one message with the error. Elsewhere the log
 * has a line for each step.
 */

import { styleText } from 'node:util';
import { renderComplaint } from '../complaint.ts';
import { schemeAt } from '../config/values/tls.ts';
import { version } from '../config/version.ts';
import type { ErrorReport } from '../errors.ts';
import type { Taken } from '../ipc/messages.ts';
import type { Generation } from './generations/generation.ts';
import type { Listener } from './sockets/listener.ts';

export class StartScreen {
  private isOver = false;

  /** Hides the log line of a step on a terminal, where the banner replaces it. Undefined once the start is over: lines are shown. */
  get step(): '' | undefined {
    return this.isOver ? undefined : '';
  }

  /** @param taken the interface that the first worker recognised */
  ready(generation: Generation, taken: Taken): string | undefined {
    return this.isOver ? undefined : renderBanner(generation, taken, process.stderr.hasColors?.() === true);
  }

  failed(error: ErrorReport): string {
    return renderComplaint(error);
  }

  end(): void {
    this.isOver = true;
  }
}

/** Pure, except for the version and the process id. */
export function renderBanner(
  { configuration, listeners }: Pick<Generation, 'configuration' | 'listeners'>,
  taken: Taken,
  isColoured: boolean,
): string {
  const { app, settings } = configuration;
  const { workers, workerClass, threads } = settings;
  const style = (format: 'bold' | 'cyan', text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  const each = workerClass === 'threaded' ? ` with ${threads} threads${workers === 1 ? '' : ' each'}` : '';
  const title = style('bold', `tsgun ${version()} serves ${app}`);
  const addresses = listeners.map(
    (listener, index) =>
      `  ${link(listener, schemeAt(settings, index, taken.scheme), (text) => style('cyan', text))}\n`,
  );
  const pool = `${workers} ${workerClass} worker${workers === 1 ? '' : 's'}${each}`;
  return `${title} (${taken.interface})\n${addresses.join('')}  ${pool}, pid ${process.pid}, Ctrl-C stops it\n`;
}

/** Most terminals open a URL that is clicked. */
function link({ address, endpoint }: Listener, scheme: string, style: (text: string) => string): string {
  if (endpoint === undefined) return style(address);
  const isAny = endpoint.host === '0.0.0.0' || endpoint.host === '::';
  if (!isAny) return style(`${scheme}://${address}`);
  return `${style(`${scheme}://localhost:${endpoint.port}`)} (${address}, all addresses of this machine)`;
}
