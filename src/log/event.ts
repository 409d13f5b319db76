/** How an event of the log is declared: see `events.ts`. */

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface EventDeclaration {
  readonly levels: readonly Level[];
  /** When it is logged. */
  readonly when: string;
  /** What it has beside `level`, `time`, `event`, `pid` and `msg`. */
  readonly fields: Readonly<Record<string, string>>;
  /** For whoever reads it. */
  readonly todo: string;
}

/** Keeps the names of the fields in the type. */
export function event<const E extends EventDeclaration>(declaration: E): E {
  return declaration;
}
