/** Finds the interface of an export, and loads the code that serves it. */

import { detect } from './detect.ts';
import type { Handler, HandlerOptions } from './handler.ts';
import type { ConnectionLoader, PreparedApp, RawServer, RawServerOptions, RequestLoader } from './interface.ts';
import { type AskedInterface, descriptorOf, interfaceNames } from './names.ts';
import type { InterfaceName } from './registry.ts';
import { traced } from './tracing.ts';

const loaded = new Map<InterfaceName, Partial<RequestLoader & ConnectionLoader>>();

/**
 * Loads the code that an app may need, before the app is loaded: later this process may not be allowed to read the files, or
 * they may be missing.
 */
export async function loadInterfaces(asked: AskedInterface): Promise<void> {
  const isDetected = (name: InterfaceName) => {
    const descriptor = descriptorOf(name);
    return descriptor.serves === 'requests' && descriptor.isDetected;
  };
  for (const name of asked === 'auto' ? interfaceNames.filter(isDetected) : [asked]) await loadInterface(name);
}

async function loadInterface(name: InterfaceName): Promise<void> {
  if (!loaded.has(name)) loaded.set(name, await descriptorOf(name).load());
}

/**
 * The handler of an app that went through `prepareApp`.
 * @throws AppLoadError when the export is not what the interface needs
 */
export function makeHandler(app: unknown, asked: AskedInterface, options: HandlerOptions): Handler {
  const name = findInterface(app, asked);
  const make = loaded.get(name)?.makeHandler;
  if (make === undefined) throw new Error(`interface ${name}: it serves no requests, or prepareApp was not called`);
  return traced(name, make(app, options));
}

/**
 * The server of an app that went through `prepareApp`, for raw connections.
 * @throws AppLoadError when the export is not what the interface needs
 */
export function makeServer(app: unknown, asked: AskedInterface, options: RawServerOptions): RawServer {
  const name = findInterface(app, asked);
  const make = loaded.get(name)?.makeServer;
  if (make === undefined) throw new Error(`interface ${name}: it serves no connections, or prepareApp was not called`);
  return make(app, options);
}

/** @throws AppLoadError if it cannot be recognised and was not named */
export function findInterface(app: unknown, asked: AskedInterface): InterfaceName {
  return asked === 'auto' ? detect(app) : asked;
}

/**
 * Loads what serves an export, and lets a framework finish what it does before its first request.
 * @throws AppLoadError with the framework's error
 */
export async function prepareApp(app: unknown, asked: AskedInterface): Promise<PreparedApp> {
  const name = findInterface(app, asked);
  await loadInterface(name);
  return (await loaded.get(name)?.prepare?.(app)) ?? { app, close: async () => {} };
}
