/**
 * `Response` as most apps use it: a text or bytes, and a few headers. Node's own makes a stream of each, which takes longer than serving
 * it. This one keeps its arguments, and becomes Node's when anything else is asked of it. It replaces the global class where a
 * fetch app is served, and looks like Node's in every respect that an app can see.
 */

import type { Field } from '../../http/h1/writer.ts';
import { STATUS_CODES } from '../node/http.ts';

type NativeClass = typeof globalThis.Response;
type Native = InstanceType<NativeClass>;
type ResponseInit = ConstructorParameters<NativeClass>[1];
type BodyInit = ConstructorParameters<NativeClass>[0];

/** See `NativeRequest`. */
export let NativeResponse: NativeClass;

const isNative = Object.prototype.isPrototypeOf;
const textType: Field = ['content-type', 'text/plain;charset=UTF-8'];
const nullBodyStatuses = [204, 205, 304];

export class LightResponse {
  /** Node's own, once it is needed. */
  #native: Native | undefined = undefined;
  readonly #piece: string | Uint8Array;
  readonly #hasBody: boolean;
  readonly #fields: readonly Field[];
  readonly status: number;
  readonly statusText: string;

  constructor(body?: BodyInit, init?: ResponseInit) {
    const { status = 200, statusText = '', headers } = init ?? {};
    const bytes = typeof body === 'object' && body !== null ? copyOf(body) : undefined;
    const isSimple = typeof body === 'string' || body === undefined || body === null || bytes !== undefined;
    const isNull = nullBodyStatuses.includes(status);
    const isLegal = Number.isInteger(status) && status >= 200 && status <= 599 && !(isNull && isSimple && body);
    // For bad arguments Node throws its own errors. A constructor may return another object.
    if (!isSimple || !isLegal || isNull || statusText !== '') {
      this.#native = undefined;
      this.#piece = '';
      this.#hasBody = false;
      this.#fields = [];
      this.status = 0;
      this.statusText = '';
      const Class = new.target === LightResponse ? NativeResponse : new.target;
      // biome-ignore lint/correctness/noConstructorReturn: for what this class does not do, its caller gets Node's
      return Reflect.construct(NativeResponse, [body, init], Class) as unknown as LightResponse;
    }
    this.#piece = bytes ?? (typeof body === 'string' ? body : '');
    this.#hasBody = bytes !== undefined || typeof body === 'string';
    this.status = status;
    this.statusText = statusText;
    this.#fields = readHeaders(headers, typeof body === 'string');
  }

  /** Also called for an app's own class that extends this one; its instances are others. */
  static [Symbol.hasInstance](this: { readonly prototype: object }, value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: which class was asked is what counts
    const { prototype } = this;
    return isNative.call(prototype === LightResponse.prototype ? NativeResponse.prototype : prototype, value as object);
  }

  static json(data: unknown, init?: ResponseInit): LightResponse {
    const headers = new Headers(init?.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new LightResponse(JSON.stringify(data), { ...init, headers });
  }

  /** Status line, fields and body, if nothing else was asked for; otherwise Node's own. */
  static read(response: Native | LightResponse): Plain | Native {
    if (!(#plain in response)) return response as Native;
    return (
      response.#native ?? { status: statusLine(response.status, ''), fields: response.#fields, piece: response.#piece }
    );
  }

  /** Marks objects of this class: `instanceof` cannot tell them from Node's, by design. */
  readonly #plain = true;

  static become(response: LightResponse): Native {
    if (!(#plain in response)) return response as Native;
    response.#native ??= new NativeResponse(response.#hasBody ? response.#piece : null, {
      status: response.status,
      headers: response.#fields as [string, string][],
    });
    return response.#native;
  }
}

export interface Plain {
  readonly status: string;
  readonly fields: readonly Field[];
  readonly piece: string | Uint8Array;
}

/** The app may change its bytes later. @returns undefined for what is no bytes, or not simply them */
function copyOf(body: object): Uint8Array | undefined {
  const isView = ArrayBuffer.isView(body);
  if (!isView && !(body instanceof ArrayBuffer)) return undefined;
  const buffer = isView ? body.buffer : body;
  // Node has errors of its own for memory that is shared or was given away.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return undefined;
  return Buffer.from(isView ? new Uint8Array(buffer, body.byteOffset, body.byteLength) : new Uint8Array(buffer));
}

export function statusLine(status: number, reason: string): string {
  return `${status} ${reason || STATUS_CODES[status] || ''}`;
}

export function readFields(headers: Headers): Field[] {
  const fields: Field[] = [];
  // Several Set-Cookie become several fields.
  for (const field of headers) fields.push(field);
  return fields;
}

function readHeaders(headers: NonNullable<ResponseInit>['headers'], hasBody: boolean): readonly Field[] {
  if (headers === undefined || headers === null) return hasBody ? [textType] : [];
  let fields: Field[] = [];
  if (headers instanceof Headers || Symbol.iterator in headers || Object.keys(headers).length > 1)
    fields = readFields(headers instanceof Headers ? headers : new Headers(headers as Record<string, string>));
  else for (const name in headers) fields.push([name, String((headers as Record<string, unknown>)[name])]);
  if (hasBody && !fields.some(([name]) => name.toLowerCase() === 'content-type')) fields.push(textType);
  return fields;
}

const delegated = ['headers', 'ok', 'redirected', 'type', 'url', 'body', 'bodyUsed'];
const methods = ['arrayBuffer', 'blob', 'bytes', 'clone', 'formData', 'json', 'text'];

/** Remembers Node's own class, by which answers are recognised. */
export function prepareResponse(): void {
  NativeResponse = globalThis.Response;
}

/** Makes this class the global one. */
export function installResponse(): void {
  prepareResponse();
  for (const name of delegated)
    Object.defineProperty(LightResponse.prototype, name, {
      get(this: LightResponse) {
        // From Node's prototype. For an app's subclass, the object is Node's, and passes here too.
        return Reflect.get(NativeResponse.prototype, name, LightResponse.become(this));
      },
      configurable: true,
    });
  for (const name of methods)
    if (name in NativeResponse.prototype)
      Object.defineProperty(LightResponse.prototype, name, {
        value(this: LightResponse, ...args: unknown[]) {
          return Reflect.apply(Reflect.get(NativeResponse.prototype, name), LightResponse.become(this), args);
        },
        configurable: true,
        writable: true,
      });
  Object.setPrototypeOf(LightResponse, NativeResponse);
  Object.setPrototypeOf(LightResponse.prototype, NativeResponse.prototype);
  Object.defineProperty(LightResponse, 'name', { value: 'Response' });
  globalThis.Response = LightResponse as unknown as NativeClass;
}
