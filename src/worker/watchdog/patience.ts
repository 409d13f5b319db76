/** Waits for another thread: for so long, and for as much longer as that thread waits for a processor. */

export interface PatienceOptions {
  readonly ms: number;
  /** The longest in all. */
  readonly mostMs: number;
  /** How long the other thread has waited for a processor so far. */
  readonly waitedMs: () => number;
  readonly now?: () => number;
}

/** @param onEnd called once, unless the returned function was called before */
export function wait(
  { ms, mostMs, waitedMs, now = () => performance.now() }: PatienceOptions,
  onEnd: () => void,
): () => void {
  const startedAt = now();
  const waitedBefore = waitedMs();
  const leftMs = () => {
    const goneMs = now() - startedAt;
    return Math.min(ms + waitedMs() - waitedBefore, mostMs) - goneMs;
  };
  const check = () => {
    const left = leftMs();
    if (left < 1) onEnd();
    else timer = setTimeout(check, Math.ceil(left));
  };
  let timer = setTimeout(check, ms);
  return () => clearTimeout(timer);
}
