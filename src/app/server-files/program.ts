/**
 * Runs a program until it is known what it serves: what it exports, or the server that it lets listen. A program may take
 * its time; one that has nothing left to do and neither exports an app nor listens has failed.
 */

import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { parseReference } from '../../app-reference.ts';
import { AppLoadError, report } from '../../errors.ts';
import type { ServerAddress } from '../../node/listen.ts';
import { detect, isHttp2Server } from '../detect.ts';
import { type LoadedModule, loadModule } from '../load.ts';
import { type AskedInterface, rawServersInterface, servedBy } from '../names.ts';
import { type AppSource, loadFrom } from '../script.ts';
import { nameAsked } from './asked.ts';
import { askedElsewhere, type Own } from './choice.ts';
import { Listening } from './listening.ts';
import { Pending } from './pending.ts';
import { appOf, connect, isTlsServer } from './served.ts';
import type { Sharing } from './sharing.ts';

export interface Program {
  /** What is to be served: an export, a server, or the function that takes a raw connection. */
  readonly app: unknown;
  /** The interface that it is for, as far as that is known. */
  readonly asked: AskedInterface;
  /** What was chosen, for people; undefined for an export. */
  readonly serves?: string | undefined;
  /** Where it wanted to listen, if that is not where tsgun does. */
  readonly askedFor?: number | string | undefined;
  readonly listening: Listening | undefined;
}

export interface ProgramHost {
  readonly own: Own;
  readonly address: ServerAddress;
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void;
  readonly sharing: Sharing;
  /** Called once if the app takes long to appear, with what has not happened yet. */
  readonly waits: (why: string) => void;
  /** Says whether the process, or the thread, may end although tsgun itself still holds things open. */
  readonly letGo: (isFree: boolean) => void;
  /** Whether all of tsgun's addresses are served over TLS, and whether HTTP/2 is spoken on any. */
  readonly isTls: boolean;
  readonly isHttp2: boolean;
  /** The app must be there by then, in milliseconds since 1970. */
  readonly deadline: number;
  /** After this time, what the boot waits for is worth a log line. */
  readonly longBootMs: number;
}

/** How long to wait for another server if those that listen ask for another address than tsgun's. */
const quietMs = 100;
/**
 * The same while the module has not ended, as it may await the very server; and while nothing but a `net.Server` listens, as
 * that is seldom what a program is for.
 */
const busyQuietMs = 1000;
/** How long a module that exports an app, and also contains a call of `listen`, may take to make that call. */
const exportQuietMs = 5000;
const pollMs = 10;

export async function openProgram(source: AppSource, asked: AskedInterface, host: ProgramHost): Promise<Program> {
  // A script hands its app over; what else it opens is its own.
  if (source.script !== undefined) return { app: await loadFrom(source), asked, listening: undefined };
  const run = new Run(source.app, asked, host);
  return run.open();
}

class Run {
  private readonly text: string;
  private readonly asked: AskedInterface;
  private readonly host: ProgramHost;
  private readonly listening: Listening;
  /** Whether the command line names an export: then that is served, whatever listens. */
  private readonly isNamed: boolean;
  private module: LoadedModule | undefined = undefined;
  private error: unknown = undefined;
  private hasFailed = false;
  private changedAt = 0;
  private wake = () => {};

  constructor(text: string, asked: AskedInterface, host: ProgramHost) {
    this.text = text;
    this.asked = asked;
    this.host = host;
    this.isNamed = parseReference(text).exportName !== undefined;
    const { own, address, say, sharing } = host;
    this.listening = new Listening({
      own,
      address,
      say,
      sharing,
      opensRaw: servedBy(asked) !== 'connections' && (this.isNamed || !this.mayListen),
      onChange: () => {
        this.changedAt = performance.now();
        this.wake();
      },
    });
  }

  async open(): Promise<Program> {
    this.listening.watch();
    const pending = new Pending(() => this.listening.held);
    void loadModule(this.text, true).then(
      (module) => {
        this.module = module;
        this.changedAt = performance.now();
        this.wake();
      },
      (error: unknown) => {
        this.hasFailed = true;
        this.error = error;
        this.wake();
      },
    );
    let onEnd = () => {};
    const ended = new Promise<'ended'>((resolve) => {
      onEnd = () => resolve('ended');
    });
    process.once('beforeExit', onEnd);
    let tellAt = Date.now() + this.host.longBootMs;
    try {
      for (;;) {
        this.host.letGo(!this.listening.isOpening);
        const program = await this.look(pending);
        if (program !== undefined) return program;
        if (this.module !== undefined && Date.now() >= this.host.deadline) throw this.nothing(' in time');
        if (Date.now() >= tellAt) {
          tellAt = Number.POSITIVE_INFINITY;
          this.host.waits(this.awaited());
        }
        const changed = new Promise<'changed'>((resolve) => {
          this.wake = () => resolve('changed');
        });
        const soon = setTimeout(pollMs, 'soon' as const, { ref: false });
        if ((await Promise.race([changed, ended, soon])) === 'ended') return await this.last();
      }
    } finally {
      process.off('beforeExit', onEnd);
      this.host.letGo(false);
    }
  }

  /** What it is by now, if that is certain. */
  private async look(pending: Pending): Promise<Program | undefined> {
    if (this.hasFailed) throw this.error;
    const { module } = this;
    const { best, isWanted } = this.listening;
    if (this.isNamed) return module && this.exported(module.exported);
    const isLoaded = module !== undefined;
    if (best !== undefined && this.mayListen) {
      // A `net.Server` that asks for $PORT may only look whether that is free.
      const isCertain = (isWanted && best.isHttp) || (isLoaded && (await this.isIdle(pending)));
      const quiet = performance.now() - this.changedAt;
      const isLikely = isWanted || best.isHttp;
      return isCertain || quiet >= (isLoaded && isLikely ? quietMs : busyQuietMs) ? this.served() : undefined;
    }
    if (!isLoaded || !this.exportsApp(module)) return undefined;
    const mayStillListen = this.mayListen && module.mentionsListen && !(await this.isIdle(pending));
    if (mayStillListen && performance.now() - this.changedAt < exportQuietMs) return undefined;
    return this.exported(module.exported);
  }

  private awaited(): string {
    const { text, module } = this;
    if (module === undefined)
      return `${text} has not finished loading: does it, or its factory, await something that does not come?`;
    return `${text} exports no app, and does not listen yet. Export the app (export default app, or module.exports = app), or call listen() on its server`;
  }

  /** A server may begin, or cease, to listen while this is found out: then there is something to look at again. */
  private async isIdle(pending: Pending): Promise<boolean> {
    const before = this.changedAt;
    return (await pending.isNone()) && this.changedAt === before;
  }

  /** Nothing is left that could happen. */
  private async last(): Promise<Program> {
    if (this.hasFailed) throw this.error;
    if (this.listening.best !== undefined && this.mayListen && !this.isNamed) return this.served();
    if (this.module === undefined)
      throw new AppLoadError(`app: ${this.text} waits for something that will not happen: does it await at its top?`);
    if (this.exportsApp(this.module)) return this.exported(this.module.exported);
    throw this.nothing('');
  }

  /** Whether a server that listens can be the app: not if an interface was asked for that no server speaks. */
  private get mayListen(): boolean {
    return this.asked !== 'wsgi' && this.asked !== 'fetch';
  }

  private exportsApp(module: LoadedModule): boolean {
    if (module.problem !== undefined) return false;
    if (this.asked !== 'auto') return true;
    try {
      detect(module.exported);
      return true;
    } catch {
      return false;
    }
  }

  private exported(app: unknown): Program {
    this.listening.export(app);
    return { app, asked: this.asked, listening: this.listening };
  }

  private served(): Program {
    const { count } = this.listening;
    const { server, asked, isHttp } = this.listening.decide()!;
    const kind = isHttp2Server(server) ? 'Http2Server' : isHttp ? 'http.Server' : 'net.Server';
    const isRaw = !isHttp || servedBy(this.asked) === 'connections';
    if (!isRaw && (isTlsServer(server) || isHttp2Server(server))) this.sayHow(kind, isTlsServer(server));
    return {
      app: isRaw ? (socket: Socket) => connect(server, socket, this.listening.connectionCount) : appOf(server),
      asked: isRaw ? rawServersInterface : 'node',
      serves: `the ${kind} that asked for ${nameAsked(asked)}${count > 1 ? `, one of ${count} that listen` : ''}`,
      askedFor: askedElsewhere(this.host.own, asked),
      listening: this.listening,
    };
  }

  /** It may not be what the program asked for. */
  private sayHow(kind: string, isForTls: boolean): void {
    const { isTls, isHttp2, say } = this.host;
    const versions = isHttp2 ? 'HTTP/2 and HTTP/1.1' : 'HTTP/1.1';
    if (isTls)
      say('info', `the app's ${kind} is served over TLS by tsgun, in ${versions}: its own certificates are not used`);
    else if (isForTls)
      say(
        'warn',
        `the app's ${kind} is served in plain ${versions}, without its own TLS: give --certfile and --keyfile to serve it over TLS`,
      );
    else if (!isHttp2)
      say('warn', `the app's ${kind} is served in plain HTTP/1.1: add h2c to --http for HTTP/2 of trusted peers`);
  }

  /** @param when completes "it does not listen" */
  private nothing(when: string): AppLoadError {
    const { problem, exported } = this.module!;
    const why = problem ?? whyNot(exported);
    return new AppLoadError(
      `app: ${why}. It does not listen${when} either: export the app (export default app, or module.exports = app), or call listen() on its server`,
    );
  }
}

function whyNot(exported: unknown): string {
  try {
    detect(exported);
    return 'what it exports cannot be served';
  } catch (error) {
    return report(error).message.replace(/^app: /, '');
  }
}
