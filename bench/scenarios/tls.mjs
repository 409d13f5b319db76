import { secureThroughput } from '../lib/secure-throughput.mjs';

export default secureThroughput({
  id: 'tls',
  title: 'HTTP/1.1 over TLS',
  about: '`GET /` over TLS, answered with 14 bytes; 32 keep-alive connections; load by h2load',
  kind: 'h1',
});
