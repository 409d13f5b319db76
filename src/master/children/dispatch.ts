/**
 * Which connection goes to which worker, where workers cannot accept for themselves one at a time. Decides and touches
 * nothing; `fallback-acceptor.ts` knows what a connection and a worker are.
 */

export type Dispatched<Connection, Worker> = { readonly connection: Connection; readonly to: Worker };

export class Dispatch<Connection, Worker> {
  private readonly limit: number;
  private readonly queue: Connection[] = [];
  /** The worker that has been idle longest comes first. */
  private readonly idle = new Set<Worker>();
  private readonly serving = new Set<Worker>();
  /** Sent, and not confirmed yet. */
  private readonly underWay = new Map<Worker, Connection[]>();

  /** @param limit how many may wait */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** @returns false when too many wait already */
  arrive(connection: Connection): boolean {
    if (this.queue.length >= this.limit) return false;
    this.queue.push(connection);
    return true;
  }

  noteIdle(worker: Worker, isIdle: boolean): void {
    this.serving.add(worker);
    if (isIdle) this.idle.add(worker);
    else this.idle.delete(worker);
  }

  /** @returns the connection that the worker has now, which the master can release */
  noteTaken(worker: Worker): Connection | undefined {
    return this.underWay.get(worker)?.shift();
  }

  /**
   * It takes no more.
   * @returns whether it was the last one that took connections: it must serve those that wait before it leaves
   */
  dismiss(worker: Worker): boolean {
    this.idle.delete(worker);
    return this.serving.delete(worker) && this.serving.size === 0;
  }

  /** Gives all waiting connections to one worker. */
  leaveTo(worker: Worker): Dispatched<Connection, Worker>[] {
    return this.queue.splice(0).map((connection) => this.send(connection, worker));
  }

  /** The worker is gone: connections that it had not confirmed go to others, ahead of the rest. */
  reap(worker: Worker): void {
    this.queue.unshift(...(this.underWay.get(worker) ?? []));
    this.underWay.delete(worker);
    this.serving.delete(worker);
    this.idle.delete(worker);
  }

  /** All that can be sent now: one connection for each idle worker. */
  next(): Dispatched<Connection, Worker>[] {
    const sent: Dispatched<Connection, Worker>[] = [];
    for (const worker of this.idle) {
      const connection = this.queue.shift();
      if (connection === undefined) break;
      this.idle.delete(worker);
      sent.push(this.send(connection, worker));
    }
    return sent;
  }

  private send(connection: Connection, to: Worker): Dispatched<Connection, Worker> {
    const underWay = this.underWay.get(to) ?? [];
    underWay.push(connection);
    this.underWay.set(to, underWay);
    return { connection, to };
  }
}
