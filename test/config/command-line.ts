import { resolveSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';
import { parseCommandLine } from '../../src/config/sources/command-line.ts';
import { commandLineSource } from '../../src/config/sources/sources.ts';

/**
 * What a command line whose first word is the app comes to.
 * @throws Error for one that tsgun would refuse
 */
export async function settingsOf(args: readonly string[]): Promise<Settings> {
  const asked = await parseCommandLine(args);
  if (asked.type !== 'run') throw new Error(`does not run: ${args.join(' ')}`);
  const { settings, problems } = resolveSettings(commandLineSource(asked.line.values));
  const all = [...(asked.line.problems ?? []), ...problems];
  if (all.length > 0) throw new Error(all.join('; '));
  return settings;
}
