/** What an embedder or an app may import. */

export type { FetchApp, FetchHandler } from './app/fetch/interface.ts';
export type { NodeApp, NodeResponse } from './app/node/interface.ts';
export type { AppTypes } from './app/registry.ts';
export type { TcpApp, TcpContext } from './app/tcp/tcp.ts';
export type {
  App,
  Body,
  BodyPieces,
  Environ,
  FileBody,
  FileLike,
  FileWrapperClass,
  Header,
  Piece,
  StartResponse,
  Write,
} from './app/types.ts';
export { defineConfig } from './config/define-config.ts';
export type { Settings } from './config/settings.ts';
export type { Config, InProcessName, UserSettings } from './config/user-settings.ts';
export type { Address } from './config/values/addresses.ts';
export type { AdminAddress } from './config/values/admin-address.ts';
export type { Mishap } from './config/values/chaos.ts';
export type { ConcurrencyLimit } from './config/values/concurrency.ts';
export type { HostPort } from './config/values/statsd.ts';
export type { Apps } from './embed/apps.ts';
export { createEnviron } from './embed/environ.ts';
export { inject } from './embed/inject.ts';
export type { RequestInput } from './embed/request.ts';
export { type RunSettings, run, type Stopped } from './embed/run.ts';
export { createServer, type Server } from './embed/server.ts';
export type { ServerSettings } from './embed/settings.ts';
export { AppLoadError, BootError, ConfigError, type ExitCode, TsgunError } from './errors.ts';
export type {
  CanaryFigures,
  CanaryTrial,
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
export type { Scheme } from './http/ends.ts';
export type { ExitReason, RunningRequest } from './ipc/messages.ts';
export type { Fields, LogTarget } from './logger.ts';
