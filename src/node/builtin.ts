/**
 * Modules of Node that few processes need. An `import` would load each at once, and read every name in it: `node:crypto`,
 * `node:tls` and, for `http.WebSocket`, undici together take a third of a worker's boot.
 */

import type * as Crypto from 'node:crypto';
import type * as Http from 'node:http';
import type * as Tls from 'node:tls';

export const cryptoModule = (): typeof Crypto => process.getBuiltinModule('node:crypto');
export const httpModule = (): typeof Http => process.getBuiltinModule('node:http');
export const tlsModule = (): typeof Tls => process.getBuiltinModule('node:tls');
