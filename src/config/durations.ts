/** Users write times in seconds; code counts milliseconds. */

export function milliseconds(seconds: number): number {
  return seconds * 1000;
}

/** For a setting whose 0 means that there is no limit. */
export function limitMs(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : milliseconds(seconds);
}
