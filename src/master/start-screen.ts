/**
 * What people on a terminal see of a start: one banner when the first worker serves, or one message why none does. The log
 * elsewhere has a line for each step.
 */

import { styleText } from 'node:util';
import { renderComplaint } from '../complaint.ts';
import { version } from '../config/version.ts';
import type { ErrorReport } from '../errors.ts';
import type { Taken } from '../ipc/messages.ts';
import type { Generation } from './generations/generation.ts';
import type { Listener } from './sockets/listener.ts';

export class StartScreen {
  private isOver = false;

  /** Of a step of the start: nothing, which the banner makes up for. Undefined once the start is over: then it has its line. */
  get step(): '' | undefined {
    return this.isOver ? undefined : '';
  }

  /** @param taken what the first worker took the app for */
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

/** Pure, but for the version and the process id. */
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
  const addresses = listeners.map((listener) => `  ${link(listener, taken.scheme, (text) => style('cyan', text))}\n`);
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
