/**
 * What a connection needs while bytes come or go: the parser, and the text of its answer. Together they take as much memory as
 * all the rest of a connection, so a server has as many as requests run at once, and its idle connections have none.
 */

import type { Extras } from '../extras.ts';
import type { HeldAnswers } from '../held-answers.ts';
import type { Limits } from '../limits.ts';
import type { Observers } from '../observers.ts';
import { H1Answer } from './answer.ts';
import { Input, type Readable } from './input.ts';
import { KnownHeads } from './known-heads.ts';
import { Outgoing, type OutgoingEvents } from './outgoing.ts';

/** What all connections of a server share. */
interface Shared {
  readonly limits: Limits;
  readonly extras: Extras | undefined;
  readonly heldAnswerBytes: number;
  readonly heldAnswers: HeldAnswers | undefined;
  readonly observers: Observers;
}

/** The connection that has a workspace. */
export interface User extends Readable, OutgoingEvents {
  /** A field of the server's own for the head of each answer. */
  readonly timing: string;
}

export class Workspace {
  readonly input: Input;
  readonly outgoing: Outgoing;
  readonly answer: H1Answer;
  /** Undefined while nobody has it. */
  user: User | undefined = undefined;

  constructor({ limits, extras, heldAnswerBytes, heldAnswers, observers }: Shared, known: KnownHeads) {
    this.input = new Input(this, limits, extras, known);
    this.outgoing = new Outgoing(this, heldAnswerBytes, heldAnswers);
    this.answer = new H1Answer(this.outgoing, true, observers.isTimed ? () => this.user?.timing ?? '' : undefined);
  }

  /** Nobody has it from now on, nor is kept in memory by it. */
  leave(): void {
    this.user = undefined;
    this.input.leave();
    this.outgoing.leave();
  }

  /** Whether nothing of its connection is in it: another one can have it. */
  get isClean(): boolean {
    return this.input.isClean && this.outgoing.isClean && this.answer.isClean;
  }
}

/** The most that are kept for later. */
const mostSpare = 64;

export class Workspaces {
  private readonly server: Shared;
  private readonly spare: Workspace[] = [];
  private readonly known = new KnownHeads();

  constructor(server: Shared) {
    this.server = server;
  }

  lend(user: User): Workspace {
    const workspace = this.spare.pop() ?? new Workspace(this.server, this.known);
    workspace.user = user;
    return workspace;
  }

  /** Takes one that is clean. */
  takeBack(workspace: Workspace): void {
    workspace.leave();
    if (this.spare.length < mostSpare) this.spare.push(workspace);
  }
}
