/**
 * A gate that is shut while there is no descriptor for another connection. It is shut ahead of that: libuv answers EMFILE of
 * accept(2) by closing all connections that wait in the kernel, and does not tell. What waits there is served once a
 * descriptor is free.
 */

// Not the globals, which an app may replace.
import { clearInterval, setInterval } from 'node:timers';
import { type DescriptorError, descriptorLimit, missingDescriptors } from '../../descriptors.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import { ConnectionHandle } from '../../node/handles.ts';
import type { Gate } from './gate.ts';

/** The app may take the last descriptors without any connection coming. */
const checkEveryMs = 100;
/** Descriptors are numbered from the lowest that is free: from this close to the limit on, each connection is checked. */
const nearLimit = 32;
/** Left free when a connection has been taken: the app may open some before the next check. */
const spare = 3;
/**
 * Where no descriptor has been free for this long, and not even every eighth is a connection, the app leaks them. Nobody
 * would be served any more.
 */
const leakMs = 10_000;
const leastPart = 1 / 8;

export interface DescriptorGateOptions {
  /** How many listening sockets there are, which may all bring a connection in one turn of the loop. */
  readonly sockets: number;
  /** How many connections there are. */
  readonly connections: () => number;
  /** Called each time that it is shut for want of a descriptor. */
  readonly onOut: (code: DescriptorError) => void;
  /** Called once. */
  readonly onLeak: () => void;
}

export class DescriptorGate implements Gate {
  private readonly gate: Gate;
  private readonly options: DescriptorGateOptions;
  private limit = Number.POSITIVE_INFINITY;
  private isWanted: boolean;
  /** Since when there is no descriptor for a connection. */
  private outSince: number | undefined = undefined;
  private hasLeaked = false;
  private readonly timer: NodeJS.Timeout;

  constructor(gate: Gate, options: DescriptorGateOptions) {
    this.gate = gate;
    this.options = options;
    this.isWanted = gate.isOpen;
    this.readLimit();
    /** Its name says to a watchdog that nothing else runs. */
    const tsgunCheck = () => this.check();
    this.timer = setInterval(tsgunCheck, checkEveryMs).unref();
  }

  get isOpen(): boolean {
    return this.gate.isOpen;
  }

  get descriptorsToOpen(): number {
    return this.gate.descriptorsToOpen;
  }

  get leavesToOthers(): boolean {
    return this.gate.leavesToOthers;
  }

  open(): void {
    this.isWanted = true;
    if (this.outSince === undefined) this.gate.open();
    else this.check();
  }

  shut(): void {
    this.isWanted = false;
    this.gate.shut();
  }

  close(): void {
    clearInterval(this.timer);
    this.isWanted = false;
    this.gate.close();
  }

  /** A connection has been taken. */
  note(incoming: Incoming): void {
    if (this.outSince !== undefined) return;
    const isNear = !(incoming instanceof ConnectionHandle) || incoming.fd >= this.limit - nearLimit;
    if (isNear) this.act(missingDescriptors(this.options.sockets + spare));
  }

  /** Looks whether there is a descriptor for another connection. */
  check(): void {
    this.act(missingDescriptors(this.options.sockets + this.descriptorsToOpen));
  }

  private act(code: DescriptorError | undefined): void {
    const { outSince } = this;
    if (code === undefined) {
      if (outSince === undefined) return;
      this.outSince = undefined;
      // It can be changed while the process runs (prlimit(1)), and cannot be read without a descriptor.
      this.readLimit();
      if (this.isWanted) this.gate.open();
    } else if (outSince === undefined) {
      this.outSince = performance.now();
      this.gate.shut();
      this.options.onOut(code);
      // What the whole system lacks is no fault of this process.
    } else if (code === 'EMFILE') this.lookForLeak(outSince);
  }

  private lookForLeak(outSince: number): void {
    if (this.hasLeaked || performance.now() - outSince < leakMs) return;
    if (this.options.connections() >= this.limit * leastPart) return;
    this.hasLeaked = true;
    this.options.onLeak();
  }

  private readLimit(): void {
    this.limit = descriptorLimit() ?? this.limit;
  }
}
