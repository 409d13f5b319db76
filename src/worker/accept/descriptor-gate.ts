/**
 * A gate that is shut while there is no descriptor for another connection. It is shut ahead of that: libuv answers EMFILE of
 * accept(2) by closing all connections that wait in the kernel, and does not tell. What waits there is served once a
 * descriptor is free.
 */

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

export class DescriptorGate implements Gate {
  private readonly gate: Gate;
  /** One for each listening socket, which may all bring a connection in one turn of the loop. */
  private readonly needed: number;
  private readonly onOut: (code: DescriptorError) => void;
  private limit = Number.POSITIVE_INFINITY;
  private isWanted: boolean;
  private isOut = false;
  private readonly timer: NodeJS.Timeout;

  /** @param onOut called each time that it is shut for want of a descriptor */
  constructor(gate: Gate, sockets: number, onOut: (code: DescriptorError) => void) {
    this.gate = gate;
    this.needed = sockets;
    this.onOut = onOut;
    this.isWanted = gate.isOpen;
    this.readLimit();
    this.timer = setInterval(() => this.check(), checkEveryMs).unref();
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
    if (this.isOut) this.check();
    else this.gate.open();
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
    if (this.isOut) return;
    const isNear = !(incoming instanceof ConnectionHandle) || incoming.handle.fd >= this.limit - nearLimit;
    if (isNear) this.act(missingDescriptors(this.needed + spare));
  }

  /** Looks whether there is a descriptor for another connection. */
  check(): void {
    this.act(missingDescriptors(this.needed + this.descriptorsToOpen));
  }

  private act(code: DescriptorError | undefined): void {
    const wasOut = this.isOut;
    this.isOut = code !== undefined;
    if (code === undefined) {
      if (!wasOut) return;
      // It can be changed while the process runs (prlimit(1)), and cannot be read without a descriptor.
      this.readLimit();
      if (this.isWanted) this.gate.open();
    } else if (!wasOut) {
      this.gate.shut();
      this.onOut(code);
    }
  }

  private readLimit(): void {
    this.limit = descriptorLimit() ?? this.limit;
  }
}
