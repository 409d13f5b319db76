/** What an embedder or an app may import. */

export type { FetchApp } from './app/fetch/interface.ts';
export type { NodeApp } from './app/node/interface.ts';
export type { TcpApp, TcpContext } from './app/tcp/tcp.ts';
export type { App, Body, Environ, FileLike, FileWrapperClass, Header, StartResponse, Write } from './app/types.ts';
export { defineConfig } from './config/define-config.ts';
export type { Config, UserSettings } from './config/user-settings.ts';
export { createEnviron } from './embed/environ.ts';
export { inject } from './embed/inject.ts';
export type { RequestInput } from './embed/request.ts';
export { type RunSettings, run, type Stopped } from './embed/run.ts';
export { createServer, type Server } from './embed/server.ts';
export type { ServerSettings } from './embed/settings.ts';
export { AppLoadError, BootError, ConfigError } from './errors.ts';
export type {
  ExitedWorker,
  HookLog,
  HookRequest,
  HookResponse,
  HookServer,
  Hooks,
  HookWorker,
  HungWorker,
  ServerAddress,
} from './hooks.ts';
export type { LogTarget } from './logger.ts';
