/**
 * What a parser of setting values is: it takes anything from a command line, a file or the environment, and returns a checked
 * value. It does not know the setting's name or source: it throws `Expected`, and the caller adds these.
 */

/** Carries what a parser expected, such as `a positive whole number`. */
export class Expected extends Error {
  /** The offending value, where it is only a part of what was given. */
  readonly got: unknown;
  /** What to write instead, if that can be guessed. */
  readonly remedy: string | undefined;

  constructor(message: string, got?: unknown, remedy?: string) {
    super(message);
    this.got = got;
    this.remedy = remedy;
  }
}

/** JSON Schema, draft 7, of one value: as much of it as the settings need. */
export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/**
 * @typeParam T the checked value
 * @typeParam Form what a config module may write for it
 */
export interface Parser<T, Form = T> {
  (raw: unknown): T;
  /** What a JSON file may write for it. The parser takes all of that, and more: every number as a text of digits, too. */
  readonly schema: JsonSchema;
  /** The checked value as a user would write it. */
  show(value: T): unknown;
  /** Carries the type; there is no value. */
  readonly form?: Form;
}

/** @param show may be left out if a user would write the checked value itself */
export function parser<T, Form = T>(
  schema: JsonSchema,
  read: (raw: unknown) => T,
  show: (value: T) => unknown = (value) => value,
): Parser<T, Form> {
  return Object.assign((raw: unknown) => read(raw), { schema, show });
}
