/** Under which licences the packages are that every user installs. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** They ask for no more than that their text is kept. */
export const permissive = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
];

/**
 * Whether a package may be used by permissive licences alone: one of those that `OR` joins, each of those that `AND` joins.
 * @param {string} expression SPDX, without parentheses within parentheses
 */
export function isPermissive(expression) {
  const text = expression.trim().replace(/^\((.*)\)$/, '$1');
  return text
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((name) => permissive.includes(name.replaceAll(/[()]/g, '').trim())));
}

/**
 * The packages that `npm install tsgun` brings, by the lock file.
 * @param {{ packages: Record<string, { version?: string, license?: string, dev?: boolean, optional?: boolean, peer?: boolean, link?: boolean }> }} lock
 * @returns {{ name: string, version: string, licence: string, isOptional: boolean }[]}
 */
export function installed(lock) {
  return Object.entries(lock.packages)
    .filter(([path, { dev, peer, link }]) => path.includes('node_modules/') && !dev && !peer && !link)
    .map(([path, { version, license, optional }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      ...{ version, licence: license ?? 'unknown', isOptional: optional === true },
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** @returns {{ report: string, faults: string[] }} Markdown, and who may not be installed */
export function licenceReport(packages) {
  const rows = packages.map(
    ({ name, version, licence, isOptional }) =>
      `| ${name} | ${version}${isOptional ? ', where its platform is' : ''} | ${licence} |`,
  );
  const faults = packages
    .filter(({ licence }) => !isPermissive(licence))
    .map(({ name, licence }) => `${name}: ${licence}`);
  const head = ['# Licences of what is installed with tsgun', '', '| package | version | licence |', '|---|---|---|'];
  return { report: `${[...head, ...rows].join('\n')}\n`, faults };
}

/** @param {string} root of the repository */
export const readLock = (root) => JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
