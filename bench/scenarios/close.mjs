import { hello } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'close',
  title: 'A connection per request',
  about:
    '`GET /` with `Connection: close`, 32 at once. Here the load needs more CPU time than any server: compare CPU µs/request',
  load: { connections: 32, path: '/', requestsPerConnection: 1, expect: { status: 200, body: hello } },
});
