/** Node's thread for hooks of ES modules, before 22.15: the same hooks, asked by promises. */

import type { FoundModule, ModuleContext } from '../node/module-hooks.ts';
import { carryOn, load as loadSource, resolveFirst, resolveLast } from './hooks.ts';
import { forgetModules, treatUndeclaredAs } from './modules.ts';

type Next<R> = (what: string, context: ModuleContext) => Promise<R>;

export function initialize(): void {
  // It is started for a program that awaits outside of functions, or for JavaScript that Node itself takes for modules.
  treatUndeclaredAs('module');
}

export async function resolve(
  specifier: string,
  context: ModuleContext,
  next: Next<FoundModule>,
): Promise<FoundModule> {
  const found =
    resolveFirst(specifier, context) ??
    (await next(specifier, context).catch((error: unknown) => {
      const other = resolveLast(specifier, context, error);
      if (other === undefined) throw error;
      return other;
    }));
  return carryOn(found, context);
}

export async function load(url: string, context: ModuleContext, next: Next<unknown>): Promise<unknown> {
  const read = loadSource(url, context);
  forgetModules();
  return read ?? next(url, context);
}
