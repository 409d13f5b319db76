/** Numbers, times and foreign text as a terminal shows them. */

/** What came from clients and apps must not steer the terminal. */
export function clean(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => {
    const code = character.codePointAt(0)!;
    return code > 0xff ? '?' : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

/** How long a line may be. What reads a pipe or a file wants whole lines. */
export function widthOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true ? columns || 80 : Number.POSITIVE_INFINITY;
}

/** At most this many characters; the end is cut. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 3 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 3)}...`;
}

/** 350 ms, 4.2 s, 3m12s, 5h07m, 12d03h */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  const two = (part: number) => String(part).padStart(2, '0');
  if (hours === 0) return `${minutes}m${two(seconds % 60)}s`;
  return days === 0 ? `${hours}h${two(minutes % 60)}m` : `${days}d${two(hours % 24)}h`;
}

export function bytes(count: number): string {
  if (count === 0) return '-';
  const mebibytes = count / 2 ** 20;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** From a byte on. */
export function byteCount(count: number): string {
  if (count < 2 ** 10) return `${count} B`;
  return count < 2 ** 20 ? `${Math.round(count / 2 ** 10)} KiB` : bytes(count);
}

/** A whole number in groups of three digits. Not by Intl, whose first use takes longer than all else that a command does. */
export function count(value: number): string {
  const digits = String(value);
  let text = digits.slice(-3);
  for (let end = digits.length - 3; end > 0; end -= 3) text = `${digits.slice(Math.max(0, end - 3), end)},${text}`;
  return text;
}

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

/** Lines of equal columns, two spaces apart. The last column takes what is left of the width. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => (row[index] ?? '').length)));
  return all.map((row) => {
    const cells = columns.map(({ align }, index) => {
      const text = row[index] ?? '';
      return align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!);
    });
    return cut(cells.join('  ').trimEnd(), width);
  });
}
