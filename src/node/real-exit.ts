/** The last moment of a process: `process.reallyExit`, which `process.exit` calls after all that listens for its end has run. */

const actions: (() => void)[] = [];

/** @param action must not throw; it does not run where the process ends without `process.exit` */
export function beforeRealExit(action: () => void): void {
  const { reallyExit } = process as unknown as { reallyExit?: (code?: number) => never };
  if (typeof reallyExit !== 'function') return;
  actions.push(action);
  if (actions.length > 1) return;
  Reflect.set(process, 'reallyExit', (code?: number) => {
    for (const each of actions) each();
    return Reflect.apply(reallyExit, process, [code]);
  });
}
