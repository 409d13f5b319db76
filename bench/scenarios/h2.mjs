import { secureThroughput } from '../lib/secure-throughput.mjs';

export default secureThroughput({
  id: 'h2',
  title: 'HTTP/2',
  about: '`GET /` over TLS, answered with 14 bytes; ten connections with ten streams at once; load by h2load',
  kind: 'h2',
});
