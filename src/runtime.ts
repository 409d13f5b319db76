/** Which runtime this is: others offer much of what Node does, but no cluster and no handles of sockets like Node's. */

/** @returns name and version of a runtime that is not Node.js */
export function otherRuntime(): string | undefined {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? undefined : `Deno ${deno}`;
}
