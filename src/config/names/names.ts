/** Guesses what an unknown name means: another case, a name in gunicorn or another program, or a typo. */

import { hookNames } from '../../hooks.ts';
import { commandOptions } from '../command-options.ts';
import { kebabCase } from '../kebab-case.ts';
import { declarationOf, environmentName, isSetting, type SettingName, settingNames } from '../settings.ts';
import { foreignNames } from './elsewhere.ts';
import { type Counterpart, gunicornOptions, gunicornSettings, sharedNames } from './gunicorn.ts';
import { nearest } from './suggest.ts';

/** Where the name was written. */
export type Where = 'file' | 'option' | 'environment';

/** @returns a sentence without a full stop, or undefined if there is no guess */
export function explainUnknown(name: string, where: Where, value?: unknown): string | undefined {
  const kebab = inKebabCase(name);
  return (
    inOtherCase(kebab, where) ??
    portOrHost(kebab, where, value) ??
    gunicorns(kebab, where) ??
    foreign(kebab, where) ??
    nodes(kebab, where, value) ??
    typo(name, where)
  );
}

/** The setting of this name: in any case, by its letter, its variable, or gunicorn's name. */
export function settingCalled(name: string): SettingName | undefined {
  const byLetter = settingNames.find((setting) => name.length === 1 && declarationOf(setting).alias === name);
  const ours = camelCase(inKebabCase(name.replace(/^\$?TSGUN_/, '')));
  if (byLetter !== undefined || isSetting(ours)) return byLetter ?? (ours as SettingName);
  const counterpart = Object.hasOwn(gunicornSettings, name) ? gunicornSettings[name] : undefined;
  return counterpart !== undefined && 'ours' in counterpart && isSetting(counterpart.ours)
    ? counterpart.ours
    : undefined;
}

/** `workerClass`, `worker_class` and `WORKER_CLASS` → `worker-class`; a letter stays as it is. */
function inKebabCase(name: string): string {
  if (name.length === 1) return name;
  const words = /[a-z]/.test(name) ? kebabCase(name.charAt(0).toLowerCase() + name.slice(1)) : name.toLowerCase();
  return words.replace(/[_-]+/g, '-');
}

function inOtherCase(kebab: string, where: Where): string | undefined {
  const ours = camelCase(kebab);
  if (isKnown(ours, where)) return `write ${show(ours, where)}`;
  return (hookNames as string[]).includes(ours) ? `${ours} is a hook, which only a config module can have` : undefined;
}

/** For a user who means a port, the hint shows the whole option to write. */
function portOrHost(kebab: string, where: Where, value: unknown): string | undefined {
  const text = Array.isArray(value) ? value.at(-1) : value;
  const write = (address: string) =>
    where === 'file' ? `bind: "${address}"` : where === 'option' ? `--bind ${address}` : `TSGUN_BIND=${address}`;
  if (kebab === 'port') {
    const port = /^\d{1,5}$/.test(String(text)) ? text : 8000;
    return `write ${write(`127.0.0.1:${port}`)} to serve this machine only, or ${write(`0.0.0.0:${port}`)} for all of its addresses`;
  }
  if (kebab !== 'host' && kebab !== 'hostname') return undefined;
  const host = typeof text === 'string' && text !== '' ? text : '127.0.0.1';
  return `write ${write(`${host.includes(':') ? `[${host}]` : host}:8000`)}, with the port`;
}

function gunicorns(kebab: string, where: Where): string | undefined {
  const snake =
    (where === 'option' && Object.hasOwn(gunicornOptions, kebab) ? gunicornOptions[kebab] : undefined) ??
    kebab.replaceAll('-', '_');
  const counterpart = Object.hasOwn(gunicornSettings, snake) ? gunicornSettings[snake] : undefined;
  if (counterpart !== undefined) return say(counterpart, where) ?? notYet(snake);
  const ours = camelCase(snake);
  if (isKnown(ours, where)) return `write ${show(ours, where)}`;
  return sharedNames.includes(snake) ? notYet(snake) : undefined;
}

function notYet(snake: string): string {
  return `tsgun has no counterpart of gunicorn's ${snake}`;
}

function foreign(kebab: string, where: Where): string | undefined {
  const counterpart = Object.hasOwn(foreignNames, kebab) ? foreignNames[kebab] : undefined;
  if (counterpart === undefined) return undefined;
  const sentence = say(counterpart, where);
  return sentence !== undefined && counterpart.note !== undefined ? `${sentence} (${counterpart.note})` : sentence;
}

function say(counterpart: Counterpart, where: Where): string | undefined {
  if ('none' in counterpart) return counterpart.none;
  return isKnown(counterpart.ours, where) ? `write ${show(counterpart.ours, where)}` : undefined;
}

/** `--max-old-space-size=512` and the like, which Node takes and tsgun does not. */
function nodes(kebab: string, where: Where, value: unknown): string | undefined {
  if (where !== 'option' || !isSetting('nodeOptions')) return undefined;
  if (!process.allowedNodeEnvironmentFlags.has(`--${kebab}`)) return undefined;
  const text = typeof value === 'string' && value !== '' ? `=${value}` : '';
  return `it is an option of Node: write --node-options "--${kebab}${text}"`;
}

function typo(name: string, where: Where): string | undefined {
  const words =
    where === 'option'
      ? [...settingNames.map(kebabCase), ...Object.keys(commandOptions)]
      : settingNames.map((known) => spell(known, where));
  const guess = nearest(
    where === 'option' ? name.replaceAll('_', '-') : name,
    where === 'file' ? [...words, ...hookNames] : words,
  );
  return guess === undefined
    ? undefined
    : `did you mean ${where === 'option' ? '--' : ''}${where === 'environment' ? `TSGUN_${guess}` : guess}?`;
}

function isKnown(name: string, where: Where): boolean {
  if (isSetting(name)) return true;
  return where === 'file'
    ? (hookNames as string[]).includes(name)
    : where === 'option' && Object.hasOwn(commandOptions, kebabCase(name));
}

function show(name: string, where: Where): string {
  if (where === 'option') return `--${kebabCase(name)}`;
  return where === 'file' ? name : environmentName(name);
}

/** As it is compared: the environment's names without their prefix. */
function spell(name: string, where: Where): string {
  return where === 'environment' ? environmentName(name).slice('TSGUN_'.length) : name;
}

function camelCase(text: string): string {
  return text.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
