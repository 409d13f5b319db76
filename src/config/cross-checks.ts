/**
 * Checks across settings: those that contradict each other, and those that do nothing beside the others. The first
 * are problems; the second are warnings, because the service runs, but not as its operator expects.
 */

import { servedBy } from '../app/names.ts';
import { kebabCase } from './kebab-case.ts';
import { clashes } from './own-places.ts';
import { declarationOf, type SettingName, type Settings, settingNames } from './settings.ts';
import { formatAddress } from './values/addresses.ts';
import { isLocal } from './values/admin-address.ts';
import { httpProblems } from './values/http-versions.ts';
import { hasTls, isTls, tlsProblems } from './values/tls.ts';

export interface Findings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface Checked {
  readonly settings: Settings;
  /** Where each value came from. */
  readonly origins: Readonly<Record<SettingName, string>>;
}

/** A worker needs about this much memory before it has loaded an app. */
const emptyWorkerMiB = 64;

export interface Circumstances {
  /** Whether this process may change its user. */
  readonly isRoot: boolean;
  /** The workers' NODE_ENV. */
  readonly nodeEnv?: string | undefined;
}

/** Pure. */
export function crossCheck({ settings, origins }: Checked, { isRoot, nodeEnv }: Circumstances): Findings {
  const given = (name: SettingName) => {
    const { parse, default: fallback } = declarationOf(name);
    return JSON.stringify(settings[name]) !== JSON.stringify(parse(fallback));
  };
  const at = (name: SettingName) => `(${origins[name]})`;
  const problems: string[] = [];
  const warnings: string[] = [];

  for (const name of ['user', 'group'] as const) {
    if (settings[name] === undefined || isRoot) continue;
    problems.push(
      `${name}: only root can change it, and this process is of user ${process.geteuid?.() ?? 'unknown'}: start as root, or leave it out ${at(name)}`,
    );
  }
  if (settings.reload === true && nodeEnv === 'production')
    problems.push(
      `reload: it is for development, and NODE_ENV is production: leave it out, or write --reload=force ${at('reload')}`,
    );
  if (settings.chaos.length > 0 && nodeEnv === 'production' && !settings.chaosInProduction)
    problems.push(
      `chaos: it makes workers fail, and NODE_ENV is production: leave it out, or add --chaos-in-production ${at('chaos')}`,
    );
  if (settings.reload && settings.bind.some(isPublic))
    warnings.push(
      `reload: everybody who can connect to ${settings.bind.filter(isPublic).map(formatAddress).join(', ')} sees source code when the app fails; bind 127.0.0.1 for development ${at('bind')}`,
    );
  problems.push(...tlsProblems(settings).map(({ by, text }) => `${text} ${at(by)}`));
  const hasPlain = settings.bind.some((_, index) => !isTls(settings, index));
  if (servedBy(settings.interface) !== 'connections')
    problems.push(
      ...httpProblems(settings.http, hasPlain, hasTls(settings)).map((problem) => `${problem} ${at('http')}`),
    );
  if (settings.certfile.length > 0 && !hasTls(settings))
    warnings.push(`certfile: no address is served over TLS: write https://HOST:PORT ${at('certfile')}`);
  for (const address of repeated(settings.bind.map((address) => formatAddress(address).replace('https://', ''))))
    problems.push(`bind: expected each address once, got ${address} twice ${at('bind')}`);

  const { maxWorkers, workers } = settings;
  if (maxWorkers > 0 && maxWorkers < workers)
    problems.push(
      `maxWorkers: expected at least the number of workers (${workers}), got ${maxWorkers} ${at('maxWorkers')}`,
    );
  for (const { name, other, problem } of clashes(settings))
    problems.push(`${name}: ${problem} (${origins[name]}; ${other}: ${origins[other]})`);

  const { adminBind, adminPublic } = settings;
  if (adminBind !== undefined && !isLocal(adminBind) && !adminPublic)
    problems.push(
      `adminBind: ${formatAddress(adminBind)} can be reached from other machines, and has no password: add --admin-public if that is wanted, or take 127.0.0.1 or unix:PATH ${at('adminBind')}`,
    );

  for (const name of settingNames.filter(given)) {
    const { classes = [settings.workerClass], needs } = declarationOf(name);
    if (!classes.includes(settings.workerClass))
      warnings.push(
        `${name}: it does nothing in the ${settings.workerClass} class; it is for --worker-class ${classes.join(' or ')} ${at(name)}`,
      );
    if (needs !== undefined && !given(needs as SettingName))
      warnings.push(`${name}: it does nothing without --${kebabCase(needs)} ${at(name)}`);
  }
  if (settings.accessLogFields.length > 0 && settings.accessLogformat !== 'json')
    warnings.push(`accessLogFields: it does nothing without --access-logformat json ${at('accessLogFields')}`);
  if (settings.healthPath !== undefined && servedBy(settings.interface) === 'connections')
    warnings.push(`healthPath: it does nothing for ${settings.interface}, which has no requests ${at('healthPath')}`);
  const { requestTimeout, gracefulTimeout, maxWorkerMemory } = settings;
  if (requestTimeout > gracefulTimeout)
    warnings.push(
      `requestTimeout: it is longer than gracefulTimeout (${gracefulTimeout} s), so a reload or a stop cuts requests before their deadline ${at('requestTimeout')}`,
    );
  if (maxWorkerMemory > 0 && maxWorkerMemory < emptyWorkerMiB)
    warnings.push(
      `maxWorkerMemory: a worker without an app holds nearly ${emptyWorkerMiB} MiB, so workers will be replaced all the time ${at('maxWorkerMemory')}`,
    );
  return { problems, warnings };
}

/** Whether other machines may reach it. Of an inherited socket nothing is known. */
function isPublic(address: Settings['bind'][number]): boolean {
  return 'host' in address && !/^(?:127\.|::1$|localhost$)/.test(address.host);
}

function repeated(list: readonly string[]): string[] {
  return [...new Set(list.filter((each, index) => list.indexOf(each) !== index && !each.endsWith(':0')))];
}
