/** Reads `path[:export]`, which names an app. */

export interface AppReference {
  readonly path: string;
  /** If undefined: the default export, or else the one named `app`. */
  readonly exportName: string | undefined;
  /** `:create(…)`: the export is a factory, and this is what stands between the parentheses. */
  readonly factoryArguments: string | undefined;
}

const form = /^(.*?)(?::([A-Za-z_$][\w$]*)(?:\((.*)\))?)?$/s;

/** The path may contain colons: only one that a name follows, up to the end, begins an export. */
export function parseReference(text: string): AppReference {
  const [, path = '', exportName, factoryArguments] = form.exec(text) ?? [];
  return { path, exportName, factoryArguments };
}
