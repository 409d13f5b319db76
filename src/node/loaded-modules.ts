/**
 * Which files a process, or a thread, loads as modules: for `--reload`. From Node 22.15 on `module.registerHooks` says so.
 * Before, `require` is changed in place, and `import` is heard of from Node's thread for hooks.
 */

import Module from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

type Next = (what: string, context: unknown) => unknown;
interface Hooks {
  resolve(specifier: string, context: { readonly parentURL?: string | undefined }, next: Next): unknown;
  load(url: string, context: unknown, next: Next): unknown;
}
type Resolve = (
  request: string,
  parent: { readonly filename?: string | null } | undefined,
  ...rest: unknown[]
) => string;

const internals = Module as unknown as {
  registerHooks?(hooks: Hooks): unknown;
  register(url: string, options?: { data: unknown; transferList: unknown[] }): void;
  _resolveFilename: Resolve;
  prototype: { load(path: string): unknown };
};

let tell: ((path: string) => void) | undefined;

/** @param listener called with each file, perhaps more than once, and with each path at which no file was found */
export function onModule(listener: (path: string) => void): void {
  tell = listener;
}

/** For hooks that load a module themselves, so that Node asks nobody else. */
export function noteModule(url: string): void {
  if (tell === undefined || !url.startsWith('file:')) return;
  const path = pathOf(url);
  if (path !== undefined && !path.includes('/node_modules/')) tell(path);
}

/** A URL may have what no path can, such as an encoded slash. */
function pathOf(url: string): string | undefined {
  try {
    const { href } = new URL(url);
    return fileURLToPath(href.replace(/[?#].*$/s, ''));
  } catch {
    return undefined;
  }
}

function noteMissing(specifier: string, parentUrl: string | undefined): void {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier) || parentUrl?.startsWith('file:') !== true) return;
  if (URL.canParse(specifier, parentUrl)) noteModule(new URL(specifier, parentUrl).href);
}

let isOn = false;

/** From now on, in this thread. */
export function watchModules(listener: (path: string) => void): void {
  onModule(listener);
  if (isOn) return;
  isOn = true;
  if (typeof internals.registerHooks === 'function') {
    internals.registerHooks({
      resolve: (specifier, context, next) => {
        try {
          return next(specifier, context);
        } catch (error) {
          noteMissing(specifier, context.parentURL);
          throw error;
        }
      },
      load: (url, context, next) => {
        noteModule(url);
        return next(url, context);
      },
    });
    return;
  }
  watchRequire();
  watchImport();
}

function watchRequire(): void {
  const resolve = internals._resolveFilename;
  internals._resolveFilename = function (this: unknown, request, parent, ...rest) {
    try {
      return resolve.call(this, request, parent, ...rest);
    } catch (error) {
      noteMissing(request, parent?.filename ? pathToFileURL(parent.filename).href : undefined);
      throw error;
    }
  };
  const { prototype } = internals;
  const { load } = prototype;
  prototype.load = function (path) {
    if (path.startsWith('/')) noteModule(pathToFileURL(path).href);
    return load.call(this, path);
  };
}

/** A module for Node's thread for hooks, as text: tsgun's own files may be gone. */
const listening = `let port;
export function initialize(data) { port = data.port; }
export async function resolve(specifier, context, next) {
  try {
    const found = await next(specifier, context);
    port.postMessage([found.url]);
    return found;
  } catch (error) {
    port.postMessage([specifier, context.parentURL]);
    throw error;
  }
}`;

/** The hook that was registered last is asked first, so this is called again behind each other one of ours. */
export function watchImport(): void {
  if (!isOn || typeof internals.registerHooks === 'function') return;
  const { port1, port2 } = new MessageChannel();
  port1.on('message', hearImport);
  port1.unref();
  ports.push(port1);
  internals.register(`data:text/javascript,${encodeURIComponent(listening)}`, {
    data: { port: port2 },
    transferList: [port2],
  });
}

const ports: MessagePort[] = [];

type Heard = readonly [url: string] | readonly [specifier: string, parentUrl: string | undefined];

function hearImport([what, ...parent]: Heard): void {
  if (parent.length === 0) noteModule(what);
  else noteMissing(what, parent[0]);
}

/** Takes what Node's thread for hooks has said and this thread has not heard: it says so before an import ends. */
export function hearImports(): void {
  for (const port of ports)
    for (let heard = receiveMessageOnPort(port); heard !== undefined; heard = receiveMessageOnPort(port))
      hearImport(heard.message as Heard);
}
