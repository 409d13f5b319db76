/**
 * What a connection borrows while it has something to do (`workspace.ts`), and what holds for one that has nothing to do: no
 * byte of a request has come, and none of an answer waits here. The base of `Connection`, as `ending.ts` is.
 */

import type { RequestHead } from '../head.ts';
import { readBuffer } from '../wire/buffers.ts';
import type { H1Answer } from './answer.ts';
import { EndingConnection } from './ending.ts';
import type { Input } from './input.ts';
import type { Outgoing } from './outgoing.ts';
import type { Workspace } from './workspace.ts';

export abstract class WorkingConnection extends EndingConnection {
  private workspace: Workspace | undefined = undefined;

  /** Lends it to this connection, where it has none. */
  protected abstract borrow(): Workspace;

  private get work(): Workspace {
    this.workspace ??= this.borrow();
    return this.workspace;
  }

  protected get input(): Input {
    return this.work.input;
  }

  get outgoing(): Outgoing {
    return this.work.outgoing;
  }

  get answer(): H1Answer {
    return this.work.answer;
  }

  /** There is nothing to do for now. While the input reads, it does not count as clean. */
  protected giveWorkspaceBack(): void {
    const { workspace } = this;
    if (workspace?.isClean !== true) return;
    this.workspace = undefined;
    this.host.workspaces.takeBack(workspace);
  }

  nextBuffer(): Buffer {
    return this.workspace === undefined ? readBuffer(false) : this.workspace.input.nextBuffer();
  }

  /** Whether a part of a head has come. */
  protected get isInHead(): boolean {
    return this.workspace?.input.isInHead === true;
  }

  get isRequestComplete(): boolean {
    return this.workspace === undefined || this.workspace.input.isRequestComplete;
  }

  protected get brokenHead(): RequestHead {
    return this.input.brokenHead;
  }

  stopReading(): void {
    this.workspace?.input.stop();
  }

  /** Whether the client has not taken the answers before. */
  protected get isBackedUp(): boolean {
    return this.workspace?.outgoing.isBackedUp === true;
  }

  protected flushHeld(): void {
    this.workspace?.outgoing.flush();
  }

  /** The time that the client may take nothing has changed. */
  protected watchStallAnew(): void {
    this.workspace?.outgoing.watchStallAnew();
  }

  /** Whether pipelined bytes wait. */
  protected get hasUnread(): boolean {
    return this.workspace?.input.hasUnread === true;
  }

  /** What waits for the next write. */
  private get heldBytes(): number {
    return this.workspace === undefined ? 0 : this.workspace.outgoing.heldBytes;
  }

  get pendingBytes(): number {
    return this.heldBytes + this.wire.pendingBytes;
  }

  get bytesRead(): number {
    return this.wire.bytesRead;
  }

  get bytesWritten(): number {
    return this.wire.bytesWritten + this.heldBytes;
  }

  whenTaken(callback: (error?: Error) => void): void {
    this.flushHeld();
    this.wire.whenTaken(callback);
  }

  retract(): boolean {
    return this.workspace?.outgoing.retract() === true;
  }

  resumeBody(): void {
    if (this.wire.isPaused && this.workspace?.input.isFull !== true) this.wire.resume();
    this.updatePhase();
  }

  abstract updatePhase(): void;

  override takeClose(): void {
    super.takeClose();
    this.giveWorkspaceBack();
  }
}
