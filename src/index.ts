/** What an embedder or an app may import. */

export type { App, Body, Environ, FileLike, FileWrapperClass, Header, StartResponse, Write } from './app/types.ts';
