/** Requests that get no line: `--access-log-skip`. */

/** @returns undefined if every request gets a line */
export function skipper(paths: readonly string[]): ((path: string) => boolean) | undefined {
  if (paths.length === 0) return undefined;
  const whole = new Set(paths.filter((path) => !path.endsWith('*')));
  const beginnings = paths.filter((path) => path.endsWith('*')).map((path) => path.slice(0, -1));
  return (path) => whole.has(path) || beginnings.some((beginning) => path.startsWith(beginning));
}
