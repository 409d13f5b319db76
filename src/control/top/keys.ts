/** What keys mean in `tsgun top`: changes of the view, or something to ask of the instance. Pure. */

import type { ControlOrder } from '../../ipc/control.ts';
import { sorted, sortings, type View } from './view.ts';

export type Reaction =
  | { readonly type: 'view'; readonly view: View }
  /** `done`: what to say when it is. */
  | { readonly type: 'ask'; readonly view: View; readonly order: ControlOrder; readonly done: string }
  | { readonly type: 'stacks'; readonly view: View; readonly pid: number | undefined }
  | { readonly type: 'quit' };

/** A question that y answers. */
export interface Pending {
  readonly order: ControlOrder;
  readonly done: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal sends ESC at the beginning of such keys
const oneKey = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])?|[^\u001b]/gsu;

/** One for each key, from what the terminal sends: an escape sequence is one key. */
export function keysIn(text: string): string[] {
  const names: Record<string, string> = {
    '\u001b[A': 'up',
    '\u001bOA': 'up',
    '\u001b[B': 'down',
    '\u001bOB': 'down',
    '\u001b': 'escape',
    '\u0003': 'interrupt',
  };
  const found = text.match(oneKey) ?? [];
  return found.map((key) => names[key] ?? key);
}

export class Keys {
  private pending: Pending | undefined = undefined;

  press(key: string, view: View): Reaction {
    if (key === 'interrupt') return { type: 'quit' };
    const { pending } = this;
    this.pending = undefined;
    if (pending !== undefined) return this.confirm(key, pending, view);
    if (view.text !== undefined) return scroll(key, view, view.text);
    const { status } = view.sample?.look ?? {};
    if (key === 'q' || key === 'escape') return { type: 'quit' };
    if (key === 'up' || key === 'down') return { type: 'view', view: { ...view, selected: moved(view, key) } };
    if (key === 'o') {
      const sorting = sortings[(sortings.indexOf(view.sorting) + 1) % sortings.length]!;
      return { type: 'view', view: { ...view, sorting, message: `sorted by ${sorting}` } };
    }
    if (status === undefined) return { type: 'view', view };
    if (key === 's') return { type: 'stacks', view: { ...view, message: 'asking for stacks' }, pid: view.selected };
    if (key === '+' || key === '=') return this.scale(view, status.wanted + 1);
    if (key === '-') return this.scale(view, status.wanted - 1);
    if (key === 'r')
      return this.question(view, `reload ${status.procName}?`, { command: 'reload', wait: true }, 'reloaded');
    if (key === 'k') return this.kill(view);
    return { type: 'view', view };
  }

  private scale(view: View, workers: number): Reaction {
    if (workers < 1 || workers > 1024) return { type: 'view', view: { ...view, message: 'from 1 to 1024 workers' } };
    return { type: 'ask', view, order: { command: 'scale', workers }, done: `workers wanted: ${workers}` };
  }

  private kill(view: View): Reaction {
    const row = view.sample?.rows.find(({ pid }) => pid !== undefined && pid === view.selected);
    if (row?.pid === undefined) return { type: 'view', view: { ...view, message: 'select a worker first: up, down' } };
    const text = `kill worker ${row.worker} (${row.pid}), running ${row.running}?`;
    return this.question(view, text, { command: 'kill', pid: row.pid }, `worker ${row.worker} (${row.pid}) was killed`);
  }

  private question(view: View, text: string, order: ControlOrder, done: string): Reaction {
    this.pending = { order, done };
    return { type: 'view', view: { ...view, message: `${text} y: yes, any other key: no` } };
  }

  private confirm(key: string, { order, done }: Pending, view: View): Reaction {
    if (key !== 'y' && key !== 'Y') return { type: 'view', view: { ...view, message: 'not done' } };
    return { type: 'ask', view: { ...view, message: `${order.command} is under way` }, order, done };
  }
}

function scroll(key: string, view: View, { lines, from }: NonNullable<View['text']>): Reaction {
  if (key === 'up') return { type: 'view', view: { ...view, text: { lines, from: Math.max(0, from - 1) } } };
  if (key === 'down')
    return { type: 'view', view: { ...view, text: { lines, from: Math.min(lines.length - 1, from + 1) } } };
  if (key === 'q' || key === 'escape' || key === 's')
    return { type: 'view', view: { ...view, text: undefined, message: '' } };
  return { type: 'view', view };
}

function moved({ sample, sorting, selected }: View, key: 'up' | 'down'): number | undefined {
  const pids = sorted(sample?.rows ?? [], sorting).flatMap(({ pid }) => pid ?? []);
  if (pids.length === 0) return undefined;
  const at = selected === undefined ? -1 : pids.indexOf(selected);
  if (at === -1) return key === 'down' ? pids[0] : pids.at(-1);
  return pids[Math.min(pids.length - 1, Math.max(0, at + (key === 'down' ? 1 : -1)))];
}
