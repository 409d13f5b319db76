/**
 * A `write` that was refused. PEP 3333's returns nothing, so an app need not await it, and it must not become an unhandled
 * rejection. An app that awaits it has the error, and may handle it.
 */

export class FailedWrite extends Promise<void> {
  private readonly onHandled: () => void;

  constructor(error: unknown, onHandled: () => void) {
    super((_, reject) => reject(error));
    this.onHandled = onHandled;
    void super.then(undefined, () => {});
  }

  /** Promises that are made of it are Node's own. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: the only way to learn whether somebody handles the failure
  override then<T, F>(...[onWritten, onFailed]: Parameters<typeof Promise.prototype.then<T, F>>): Promise<T | F> {
    const next = super.then(onWritten, onFailed);
    if (typeof onFailed === 'function') this.onHandled();
    else next.catch(() => {});
    return next;
  }
}
