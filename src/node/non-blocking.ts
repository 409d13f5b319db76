/**
 * A standard stream whose descriptor other processes share, such as a socket of the service manager. Node makes it
 * non-blocking when it opens the stream; starting a child that inherits it makes it blocking again.
 */

interface Handle {
  setBlocking?(isBlocking: boolean): unknown;
}

/** @returns a function to call before each write. If Node offers no way, writes may block */
export function keepNonBlocking(stream: NodeJS.WriteStream): () => void {
  const handle: unknown = Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null) return () => {};
  return () => void (handle as Handle).setBlocking?.(false);
}
