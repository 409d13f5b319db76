/**
 * A gate that shuts before file descriptors run out. On EMFILE from accept(2), libuv closes all connections that wait in the
 * accept queue, and reports nothing. While the gate is shut, they stay in the queue; they are served once a descriptor is free.
 */

import { type DescriptorError, descriptorLimit, missingDescriptors } from '../../descriptors.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import { every } from '../../ipc/ticks.ts';
import { ConnectionHandle } from '../../node/handles.ts';
import type { Gate } from './gate.ts';

/** The app may use up the descriptors while no connection comes, so the gate also checks by time. */
const checkEveryMs = 100;
/**
 * The system gives out the lowest free number. When a connection's number is this close to the limit, each further one is
 * checked.
 */
const nearLimit = 32;
/** This many stay free after a connection was taken: the app may open some before the next check. */
const spare = 3;
/**
 * No descriptor has been free for this long, and connections hold fewer than one in eight: then the app leaks descriptors, and
 * this worker would never serve again.
 */
const leakMs = 10_000;
const leastPart = 1 / 8;

export interface DescriptorGateOptions {
  /** The number of listening sockets. Each may bring a connection in one turn of the event loop. */
  readonly sockets: number;
  /** The number of connections now. */
  readonly connections: () => number;
  /** Called each time the gate shuts for lack of a descriptor. */
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
  private readonly stopChecking: () => void;

  constructor(gate: Gate, options: DescriptorGateOptions) {
    this.gate = gate;
    this.options = options;
    this.isWanted = gate.isOpen;
    this.readLimit();
    /** The watchdog takes a stack that begins with `tsgun` for an idle process: see `examiner.ts`. */
    const tsgunCheck = () => this.check();
    this.stopChecking = every(checkEveryMs, tsgunCheck);
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
    this.stopChecking();
    this.isWanted = false;
    this.gate.close();
  }

  /** A connection has been taken. */
  note(incoming: Incoming): void {
    if (this.outSince !== undefined) return;
    const isNear = !(incoming instanceof ConnectionHandle) || incoming.fd >= this.limit - nearLimit;
    if (isNear) this.act(missingDescriptors(this.options.sockets + spare));
  }

  /** Checks whether a descriptor is free for another connection. */
  check(): void {
    this.act(missingDescriptors(this.options.sockets + this.descriptorsToOpen));
  }

  private act(code: DescriptorError | undefined): void {
    const { outSince } = this;
    if (code === undefined) {
      if (outSince === undefined) return;
      this.outSince = undefined;
      // The limit can change while the process runs (prlimit(1)). Reading it needs a descriptor, so it is read now.
      this.readLimit();
      if (this.isWanted) this.gate.open();
    } else if (outSince === undefined) {
      this.outSince = performance.now();
      this.gate.shut();
      this.options.onOut(code);
      // ENFILE means that the whole system has none left: that is no leak of this process.
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
