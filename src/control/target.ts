/** Which instance a command is for, as its options say it. */

export interface Target {
  readonly controlSocket?: string | undefined;
  readonly pid?: number | undefined;
  readonly pidfile?: string | undefined;
}
