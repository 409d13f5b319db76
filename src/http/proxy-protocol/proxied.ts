/**
 * Takes the PROXY header off an HTTP connection, between its wire and the engine: the engine sees only what follows, and the
 * client that the header names. The header shares the deadline of the first request's head.
 */

import type { Ends } from '../ends.ts';
import { HttpError } from '../errors.ts';
import { Trusted } from '../forwarding/trust.ts';
import type { HeldShare } from '../held-answers.ts';
import type { WireEvents } from '../wire/wire.ts';
import { isSurelyHeader, mayBeHeader, ProxyError, type ProxyHeader, readProxyHeader, type Version } from './header.ts';

export interface ProxyProtocolOptions {
  readonly version: Version;
  /** Addresses, networks by prefix, or `*`: who must send the header. Peers on unix sockets must, too. */
  readonly allowFrom: readonly string[];
  /** A connection was refused. */
  readonly onRefused: (peer: string, why: string) => void;
}

export class ProxyProtocol {
  readonly version: Version;
  readonly onRefused: (peer: string, why: string) => void;
  private readonly trusted: Trusted;

  constructor({ version, allowFrom, onRefused }: ProxyProtocolOptions) {
    this.version = version;
    this.onRefused = onRefused;
    this.trusted = new Trusted(allowFrom);
  }

  /** Whether this peer must send the header. Other peers must not. */
  expects(peer: string): boolean {
    return this.trusted.has(peer);
  }
}

export const foreignHeader = 'a PROXY header of a peer that may not send one';

/** A connection whose client is not known yet. */
export interface Proxied extends WireEvents {
  ends: Ends;
  refuse(error: HttpError): void;
}

/** The ends as the proxy's client sees them. */
export function endsBehind(ends: Ends, { client, isSecure }: ProxyHeader): Ends {
  if (client === undefined) return ends;
  return { ...ends, remote: client, scheme: isSecure === true ? 'https' : ends.scheme };
}

export class ProxyHeaderFilter implements WireEvents {
  private readonly to: Proxied;
  private readonly protocol: ProxyProtocol;
  private readonly isExpected: boolean;
  private held: Buffer | undefined = undefined;
  private isDone = false;

  constructor(to: Proxied, protocol: ProxyProtocol) {
    this.to = to;
    this.protocol = protocol;
    this.isExpected = protocol.expects(to.ends.remote.address);
  }

  get share(): HeldShare | undefined {
    return this.to.share;
  }

  nextBuffer(): Buffer {
    return this.to.nextBuffer();
  }

  takeBytes(bytes: Buffer, length: number): void {
    if (this.isDone) return this.to.takeBytes(bytes, length);
    const fresh = bytes.subarray(0, length);
    const all = this.held === undefined ? fresh : Buffer.concat([this.held, fresh]);
    this.held = undefined;
    try {
      const rest = this.isExpected ? this.takeOff(all) : this.examine(all);
      if (rest === undefined) this.held = Buffer.from(all);
      else if (rest.length > 0) this.to.takeBytes(rest, rest.length);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      this.isDone = true;
      this.protocol.onRefused(this.to.ends.remote.address, error.message);
      this.to.refuse(new HttpError(400, error.message));
    }
  }

  /** @returns what follows the header; undefined while it is not complete */
  private takeOff(bytes: Buffer): Buffer | undefined {
    const header = readProxyHeader(bytes, this.protocol.version);
    if (header === undefined) return undefined;
    this.isDone = true;
    this.to.ends = endsBehind(this.to.ends, header);
    return bytes.subarray(header.length);
  }

  /** @returns all bytes if they are no header; undefined while more bytes are needed to decide */
  private examine(bytes: Buffer): Buffer | undefined {
    if (isSurelyHeader(bytes)) throw new ProxyError(foreignHeader);
    if (mayBeHeader(bytes)) return undefined;
    this.isDone = true;
    return bytes;
  }

  takeEnd(): void {
    const { held } = this;
    this.held = undefined;
    this.isDone = true;
    // Not a header after all: the engine decides about these bytes.
    if (held !== undefined && !this.isExpected) this.to.takeBytes(held, held.length);
    this.to.takeEnd();
  }

  takeDrain(): void {
    this.to.takeDrain();
  }

  takeFailure(error: Error): void {
    this.to.takeFailure?.(error);
  }

  takeClose(): void {
    this.to.takeClose();
  }
}
