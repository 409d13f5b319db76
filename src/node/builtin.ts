/**
 * Modules of Node that few processes need. An `import` would load each at once, and read every name in it: `node:crypto`,
 * `node:tls` and, for `http.WebSocket`, undici together take a third of a worker's boot.
 */

import type * as Crypto from 'node:crypto';
import type * as Dns from 'node:dns/promises';
import type * as Http from 'node:http';
import type * as Inspector from 'node:inspector';
import type * as Tls from 'node:tls';

export const cryptoModule = (): typeof Crypto => process.getBuiltinModule('node:crypto');
export const dnsModule = (): typeof Dns => process.getBuiltinModule('node:dns/promises');
export const httpModule = (): typeof Http => process.getBuiltinModule('node:http');
export const inspectorModule = (): typeof Inspector => process.getBuiltinModule('node:inspector');
export const tlsModule = (): typeof Tls => process.getBuiltinModule('node:tls');
