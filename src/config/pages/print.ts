/** What `--print-config` prints: one setting per line, its name in a config file, its value, and where that came from. */

import type { Checked } from '../cross-checks.ts';
import { declarationOf, type SettingName, settingNames } from '../settings.ts';

/** Longer values push their source to the right. */
const widestValue = 30;

export function renderSettings({ settings, origins }: Checked): string {
  const rows = settingNames.map((name) => [name, shown(name, settings[name]), origins[name]] as const);
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const valueWidth = Math.min(widestValue, Math.max(...rows.map(([, value]) => value.length)));
  return rows
    .map(([name, value, origin]) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${origin}`)
    .join('\n');
}

function shown(name: SettingName, value: unknown): string {
  const { isSecret, parse } = declarationOf(name);
  return isSecret === true && value !== undefined ? '(hidden)' : valueText(parse.show(value));
}

/** As in a JSON file, but for quotes where nothing needs them. */
function valueText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"{[]+$/.test(value) ? value : JSON.stringify(value);
}
