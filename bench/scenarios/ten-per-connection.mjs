import { hello } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'ten-per-connection',
  title: 'Ten requests per connection',
  about: '`GET /`, 32 connections at once; one request in ten asks for the end of its connection',
  load: { connections: 32, path: '/', requestsPerConnection: 10, expect: { status: 200, body: hello } },
});
