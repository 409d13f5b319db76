/** A setting's example value as it is written in each place. */

import { kebabCase } from '../kebab-case.ts';
import type { SettingName } from '../settings.ts';

/** Whether there is something to show for a default. */
export function isSaid(value: unknown): value is string | number | boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

/** `--bind 0.0.0.0:8000 --bind unix:/run/app.sock`, quoted for a shell where it must be. */
export function optionExample(name: SettingName, value: unknown): string {
  return parts(value)
    .map((part) => `--${kebabCase(name)} ${shellWord(part)}`)
    .join(' ');
}

/** `bind: "0.0.0.0:8000"`: as in a module; in JSON the name has quotes too. */
export function fileExample(name: SettingName, value: unknown): string {
  return `${name}: ${JSON.stringify(value, undefined, 1).replace(/\n\s*/g, ' ')}`;
}

/** As a shell sets the variable. */
export function environmentExample(value: unknown): string {
  return shellWord(environmentText(value));
}

export function environmentText(value: unknown): string {
  return parts(value).join(',');
}

/** What each option of a repeatable setting says. */
function parts(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).map(([key, text]) => `${key}=${text}`);
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
