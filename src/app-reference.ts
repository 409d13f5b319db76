/** Reads `path[:export]`, which names an app. */

export interface AppReference {
  readonly path: string;
  /** If undefined: the default export, or else the one named `app`. */
  readonly exportName: string | undefined;
  /** `:create(…)`: the export is a factory, and this is what stands between the parentheses. */
  readonly factoryArguments: string | undefined;
}

const nameForm = /^[A-Za-z_$][\w$]*$/;
const callForm = /:([A-Za-z_$][\w$]*)\(/g;

/** The path may contain colons and parentheses: only what stands at the end is an export. */
export function parseReference(text: string): AppReference {
  if (text.endsWith(')')) return parseCall(text) ?? { path: text, exportName: undefined, factoryArguments: undefined };
  const colon = text.lastIndexOf(':');
  const exportName = text.slice(colon + 1);
  return colon !== -1 && nameForm.test(exportName)
    ? { path: text.slice(0, colon), exportName, factoryArguments: undefined }
    : { path: text, exportName: undefined, factoryArguments: undefined };
}

/** The first call with arguments that can be read, because a text among them may look like a call; if there is none, the last. */
function parseCall(text: string): AppReference | undefined {
  const calls = [...text.matchAll(callForm)].map(({ 0: opening, 1: exportName, index }) => ({
    path: text.slice(0, index),
    exportName,
    factoryArguments: text.slice(index + opening.length, -1),
  }));
  return calls.find(({ factoryArguments }) => readArguments(factoryArguments) !== undefined) ?? calls.at(-1);
}

/** @returns undefined for what is not JSON, with commas between */
export function readArguments(text: string): unknown[] | undefined {
  try {
    return JSON.parse(`[${text}]`);
  } catch {
    return undefined;
  }
}
