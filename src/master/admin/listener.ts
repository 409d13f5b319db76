/**
 * The admin listener: where the master says how the service is. What it answers is in `answers.ts`. Nothing that happens
 * here ends the master.
 */

import type { Server } from 'node:http';
import type { Server as ListeningSocket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Settings } from '../../config/settings.ts';
import { AddressInUse, report } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Patience } from '../sockets/patience.ts';
import { type AdminPlace, adoptTcp, type Bound, bindAdmin, keyOf } from './bind.ts';
import { type AdminAnswer, type AdminRequest, createAdminServer } from './server.ts';

type Answer = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

const tryEveryMs = 200;

export class AdminListener {
  readonly key: string;
  readonly place: AdminPlace;
  private log: Logger;
  private server: Server | undefined = undefined;
  private bound: Bound | undefined = undefined;
  private hasOpened = false;
  private isClosed = false;
  /** Set once the master runs; a client that connects earlier waits. */
  private tellAnswer: (answer: Answer) => void = () => {};
  private readonly answer = new Promise<Answer>((resolve) => (this.tellAnswer = resolve));

  constructor(place: AdminPlace, log: Logger) {
    this.key = keyOf(place.where);
    this.place = place;
    this.log = log;
  }

  /** May be called again, for the log of a later configuration; the first `answer` stays. */
  serve(answer: Answer, log: Logger): void {
    this.log = log;
    this.tellAnswer(answer);
  }

  /** Whether it has not been open yet, because an older master has the address. */
  get isPending(): boolean {
    return !this.hasOpened && !this.isClosed;
  }

  /** False if somebody has removed its file. */
  get isUsable(): boolean {
    return this.bound === undefined || this.isOpen;
  }

  /** Whether clients reach it. */
  get isOpen(): boolean {
    return this.bound?.isInPlace() === true;
  }

  /** The socket, for a master that takes it over; undefined for a unix socket, whose file is replaced instead. */
  get socket(): Server | undefined {
    return this.place.where.kind === 'tcp' && this.isOpen ? this.server : undefined;
  }

  /** @param replaces see `bindAdmin` @throws ConfigError */
  open(replaces = false): Promise<void> {
    return this.listen((server) => bindAdmin(server, this.place, replaces));
  }

  /** Listens on the socket of the master before this one. */
  adopt(socket: ListeningSocket): Promise<void> {
    return this.listen((server) => adoptTcp(server, socket));
  }

  /** Tries until it succeeds, in the background: the service does not depend on it. */
  async openInTime(replaces: boolean): Promise<void> {
    let hasSaid = false;
    while (!this.isClosed && !this.isOpen) {
      try {
        await this.open(replaces);
      } catch (error) {
        if (!hasSaid)
          this.log.say(
            'warn',
            { error: report(error).message },
            'the admin listener cannot be opened: tsgun tries again',
          );
        hasSaid = true;
        await setTimeout(tryEveryMs, undefined, { ref: false });
      }
    }
  }

  /** Another master has it now, until this one opens it again. */
  release(): void {
    this.bound?.close();
    this.bound = undefined;
    this.server = undefined;
  }

  close(): void {
    this.isClosed = true;
    this.release();
  }

  private async listen(bind: (server: Server) => Promise<Bound>): Promise<void> {
    const server = await createAdminServer({
      answer: async (request) => (await this.answer)(request),
      log: () => this.log,
    });
    const bound = await bind(server);
    if (this.isClosed) return bound.close();
    this.bound = bound;
    // It must not keep the process alive once the master has ended.
    this.server = server.unref();
    this.hasOpened = true;
    const { address } = bound;
    this.log.say('info', { admin: address }, `health and status on ${address}`);
  }
}

export interface AdminOptions {
  /** The listeners of other generations: one at the same place is kept. */
  readonly present: readonly (AdminListener | undefined)[];
  readonly log: Logger;
  /** How long to wait for an address that is in use; undefined: not at all. */
  readonly patience: Patience | undefined;
  /** Whether an older master may still hold the address: this one takes it over later. */
  readonly isSuccessor: boolean;
}

/** @returns undefined if none is wanted @throws ConfigError */
export async function openAdmin(
  { adminBind: where, adminPublic: isPublic }: Settings,
  { present, log, patience, isSuccessor }: AdminOptions,
): Promise<AdminListener | undefined> {
  if (where === undefined) return undefined;
  const listener = new AdminListener({ where, isPublic }, log);
  const known = present.find((other) => other?.key === listener.key && other.isUsable);
  if (known !== undefined) return known;
  // Any free port was asked for: take over the one that the older master has.
  if (isSuccessor && where.kind === 'tcp' && where.port === 0) return listener;
  try {
    const open = () => listener.open();
    await (patience === undefined || isSuccessor ? open() : patience.retry(open));
  } catch (error) {
    if (!(isSuccessor && error instanceof AddressInUse)) throw error;
  }
  return listener;
}
