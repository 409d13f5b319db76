/** Errors of the JavaScript API: a program passes options, not flags. */

import { isSetting } from '../config/settings.ts';
import { AddressInUse, AppLoadError, BootError, ConfigError } from '../errors.ts';

/** `take --worker-class async` becomes `take workerClass async`. */
export function nameOptions(text: string): string {
  return text.replace(/--([a-z]+(?:-[a-z]+)*)/g, (flag, words: string) => {
    const name = words.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return isSetting(name) ? name : flag;
  });
}

/** The same error with the names of options. Errors that are not tsgun's own stay as they are. */
export function inOptions(error: unknown): unknown {
  const options = error instanceof Error && error.cause !== undefined ? { cause: error.cause } : {};
  if (error instanceof AddressInUse) return new AddressInUse(error.address, nameOptions(error.message));
  if (error instanceof ConfigError) return new ConfigError(error.problems.map(nameOptions), options);
  if (error instanceof AppLoadError) return new AppLoadError(nameOptions(error.message), options);
  return error instanceof BootError ? new BootError(nameOptions(error.message), options) : error;
}
