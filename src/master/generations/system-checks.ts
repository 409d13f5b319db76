/** What only the system can say of a configuration: whether its files can be read and written, and its accounts exist. */

import { existsSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Configuration } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { hasTls, tlsProblems } from '../../config/values/tls.ts';
import { ConfigError, unwritable } from '../../errors.ts';
import { readCertificates } from '../tls/read.ts';
import { identityOf } from './identity.ts';

/** All of them at once; changes nothing. The settings may be wrong in other ways. */
export async function systemProblems(configuration: Configuration): Promise<readonly string[]> {
  const { settings, origins } = configuration;
  const { user, group } = settings;
  const checks = [
    ...(user === undefined ? [] : [problemsOf(identityOf({ user, group }, origins))]),
    ...(group === undefined ? [] : [problemsOf(identityOf({ user: undefined, group }, origins))]),
    ...fileProblems(configuration),
    ...certificateProblems(settings),
  ];
  // The group is checked with the user, and alone.
  return [...new Set((await Promise.all(checks)).flat())];
}

/** Adds all other problems to one that was met first. */
export async function withSystemProblems(error: unknown, configuration: Configuration): Promise<unknown> {
  if (!(error instanceof ConfigError)) return error;
  const others = (await systemProblems(configuration)).filter((problem) => !error.problems.includes(problem));
  if (others.length === 0) return error;
  return new ConfigError([...error.problems, ...others], error.cause === undefined ? {} : { cause: error.cause });
}

async function problemsOf(check: Promise<unknown>): Promise<readonly string[]> {
  try {
    await check;
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function fileProblems({ settings, origins, directory }: Configuration): Promise<readonly string[]>[] {
  // The folder itself is a problem already.
  if (!existsSync(directory)) return [];
  const names = ['pidfile', 'errorLogfile', 'accessLogfile'] as const;
  return names.map(async (name) => {
    const path = settings[name];
    if (path === undefined || path === '-') return [];
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    return access(isThere ? path : dirname(path), constants.W_OK).then(
      () => [],
      (error) => unwritable(name, path, error, origins[name]).problems,
    );
  });
}

/** Each pair by itself. */
function certificateProblems(settings: Settings): Promise<readonly string[]>[] {
  if (!hasTls(settings) || settings.devTls || tlsProblems(settings).length > 0) return [];
  return settings.certfile.map((file, index) => {
    const pair = { certfile: [file], keyfile: [settings.keyfile[index]!] };
    return problemsOf(readCertificates({ ...settings, ...pair }));
  });
}
