/** What a file's tsconfig.json says that changes what its code does: how it is compiled, and where its imports lead. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FileMatcher, TsConfigResult } from 'get-tsconfig';
import { report } from '../errors.ts';
import { hasModuleHooks } from '../node/module-hooks.ts';
import { isInstalled } from './files.ts';

const require = createRequire(import.meta.url);

/** As in `tsconfig.json`, with the defaults filled in. */
export interface CompileOptions {
  /** Undefined where nobody says: then only a file with `accessor` fields, which go with the standard ones, has those. */
  readonly experimentalDecorators: boolean | undefined;
  readonly emitDecoratorMetadata: boolean;
  readonly useDefineForClassFields: boolean;
  readonly jsx: 'automatic' | 'classic';
  readonly jsxImportSource: string | undefined;
  readonly jsxFactory: string | undefined;
  readonly jsxFragmentFactory: string | undefined;
  /** Not of tsconfig.json: whether Node does not ask us what an `import()` leads to. */
  readonly importsByRequire: boolean;
}

export interface Project {
  readonly options: CompileOptions;
  /** Where a specifier may lead by `paths` and `baseUrl`; empty: nowhere. */
  candidates(specifier: string): string[];
}

/**
 * Decorators are the ones that frameworks for servers are made for, with the types of what they decorate: other ones only
 * where a project says so.
 */
const plain: Project = {
  options: {
    experimentalDecorators: undefined,
    emitDecoratorMetadata: true,
    useDefineForClassFields: true,
    jsx: 'automatic',
    jsxImportSource: undefined,
    jsxFactory: undefined,
    jsxFragmentFactory: undefined,
    importsByRequire: !hasModuleHooks,
  },
  candidates: () => [],
};

const byDirectory = new Map<string, Project | { readonly read: (path: string) => Project }>();

/** That of the nearest tsconfig.json. @throws SyntaxError where that one cannot be read */
export function projectOf(path: string): Project {
  if (isInstalled(path)) return plain;
  const found = lookUp(dirname(path));
  return 'read' in found ? found.read(path) : found;
}

function lookUp(directory: string): Project | { readonly read: (path: string) => Project } {
  const known = byDirectory.get(directory);
  if (known !== undefined) return known;
  const file = join(directory, 'tsconfig.json');
  const above = dirname(directory);
  const found = existsSync(file) ? readProject(file) : above === directory ? plain : lookUp(above);
  byDirectory.set(directory, found);
  return found;
}

/** Clears the cache: a reload must see the files as they are. */
export function forgetProjects(): void {
  byDirectory.clear();
}

function readProject(file: string): Project | { readonly read: (path: string) => Project } {
  const { createFilesMatcher, parseTsconfig } = require('get-tsconfig') as typeof import('get-tsconfig');
  const read = (path: string): TsConfigResult => {
    try {
      return { path, config: parseTsconfig(path) };
    } catch (error) {
      throw new SyntaxError(`${path} cannot be read: ${report(error).message}`, { cause: error });
    }
  };
  const own = read(file);
  const { references = [], files } = own.config;
  // It only names the parts of the project: each file is of the part that includes it.
  if (references.length === 0 || files?.length !== 0) return projectBy(own);
  const parts: [FileMatcher, Project][] = references.flatMap(({ path }) => {
    const named = join(dirname(file), path);
    const part = named.endsWith('.json') ? named : join(named, 'tsconfig.json');
    if (!existsSync(part)) return [];
    const result = read(part);
    return [[createFilesMatcher(result), projectBy(result)]];
  });
  const whole = projectBy(own);
  return {
    read: (path) => parts.find(([matches]) => matches(path) !== undefined)?.[1] ?? whole,
  };
}

function projectBy(found: TsConfigResult): Project {
  const { createPathsMatcher } = require('get-tsconfig') as typeof import('get-tsconfig');
  const said = found.config.compilerOptions ?? {};
  const match = createPathsMatcher(found);
  return {
    options: {
      experimentalDecorators: said.experimentalDecorators,
      emitDecoratorMetadata: said.emitDecoratorMetadata ?? said.experimentalDecorators !== false,
      useDefineForClassFields: said.useDefineForClassFields ?? definesFields(said.target),
      jsx: said.jsx?.toLowerCase() === 'react' ? 'classic' : 'automatic',
      jsxImportSource: said.jsxImportSource,
      jsxFactory: said.jsxFactory ?? (said.reactNamespace && `${said.reactNamespace}.createElement`),
      jsxFragmentFactory: said.jsxFragmentFactory,
      importsByRequire: !hasModuleHooks,
    },
    candidates: match === null ? plain.candidates : match,
  };
}

/** As TypeScript does: for a target from ES2022 on, which its own default now is. */
function definesFields(target = 'esnext'): boolean {
  const year = /^es(\d+)$/i.exec(target)?.[1];
  return year === undefined || Number(year) >= 2022;
}
