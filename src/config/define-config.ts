/** For config modules: `export default defineConfig({ … })` has its settings and hooks completed and checked by editors. */

import type { Config } from './user-settings.ts';

export function defineConfig(config: Config): Config {
  return config;
}
