/** Options that are not settings: they exist on the command line only. */

export interface CommandOption {
  /** One letter. */
  readonly alias?: string;
  /** Undefined: it takes no value. */
  readonly metavar?: string;
  readonly help: string;
  readonly more?: string;
}

/** What the shell's completion script passes before the words of the command line; yargs' name. */
export const completionFlag = '--get-yargs-completions';

export const commandOptions: Readonly<Record<string, CommandOption>> = {
  config: {
    alias: 'c',
    metavar: 'FILE',
    help: 'A config file: JSON, or a module that exports the settings.',
    more: 'Without it, tsgun looks in the directory that it is started in for tsgun.config.ts, .js, .mjs, .mts, .cts, .cjs and .json, in this order. JSON may have comments. A module exports an object as its default export; defineConfig of the package tsgun gives it types. TSGUN_CONFIG names a file too.',
  },
  'check-config': {
    help: 'Check the configuration, load the app in a worker, and exit.',
    more: 'Nothing is bound and no hook is called, so it may run beside the service. The exit code is 0, or that of a start which fails for the same reason: 1 for the configuration, 3 for a worker that does not boot, 4 for an app that cannot be loaded.',
  },
  'print-config': {
    help: 'Print each setting, its value and where that came from, and exit.',
    more: 'One setting per line: its name in a config file, its value, and the source. Problems go to standard error, and then the exit code is 1. No app needs to be named.',
  },
  help: { alias: 'h', metavar: '[NAME]', help: 'This help, or all there is to know about one option.' },
  version: { alias: 'v', help: 'The version of tsgun.' },
};
