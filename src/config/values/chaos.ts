/** The setting `chaos`: what goes wrong on purpose, and how often. */

import { Expected, type Parser, parser } from './parser.ts';

export interface Mishap {
  /** A worker is killed; its main thread is blocked; or none of the workers accepts. */
  readonly kind: 'kill' | 'stall' | 'slow-accept';
  /** How many times in a second, a minute or an hour, on average; the times between are random. */
  readonly times: number;
  readonly per: 's' | 'min' | 'h';
  /** How long it takes; 0 for a kill. */
  readonly seconds: number;
}

const rate = '([1-9]\\d?)\\/(s|min|h)';
const duration = '([1-9]\\d{0,3}|0\\.\\d*[1-9])s';
const formText = `(?:(kill)=${rate}|(stall|slow-accept)(?:=${duration})?(?:@${rate})?)`;
const form = new RegExp(`^${formText}$`);
/** In milliseconds. */
export const spans = { s: 1000, min: 60_000, h: 3_600_000 } as const;
const usualSeconds = 1;

/** A list of `kill=N/min`, `stall=Ns` and `slow-accept=Ns`, in one string separated by commas. */
export const mishaps: Parser<readonly Mishap[], string | readonly string[]> = parser(
  {
    anyOf: [
      { type: 'string', pattern: `^${formText}(?:, *${formText})*$` },
      { type: 'array', items: { type: 'string', pattern: form.source } },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list)) throw new Expected('what is to go wrong, such as kill=1/min,stall=2s,slow-accept');
    return list.map(readMishap);
  },
  (values) => values.map(writeMishap),
);

function readMishap(text: unknown): Mishap {
  const found = typeof text === 'string' ? form.exec(text) : null;
  if (found === null)
    throw new Expected(
      'kill=N/min, stall=Ns or slow-accept=Ns, the latter two with @N/min for how often, N below 100 for a rate and 10,000 for seconds',
      text,
    );
  const [, kill, kills, killsPer, kind, seconds = usualSeconds, times = 1, per = 'min'] = found;
  if (kill !== undefined) return { kind: 'kill', times: Number(kills), per: killsPer as Mishap['per'], seconds: 0 };
  return { kind: kind as Mishap['kind'], times: Number(times), per: per as Mishap['per'], seconds: Number(seconds) };
}

function writeMishap({ kind, times, per, seconds }: Mishap): string {
  return kind === 'kill' ? `kill=${times}/${per}` : `${kind}=${seconds}s@${times}/${per}`;
}
