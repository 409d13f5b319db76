/** Whether what an app returned is still to come. Every object with a `then` counts, as for `await`. */
export function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function';
}
