/** `deno serve deno.mjs`; with `--parallel` on several threads, as many as `$DENO_JOBS`. */

import { answer } from './web.mjs';

export default { fetch: answer };
