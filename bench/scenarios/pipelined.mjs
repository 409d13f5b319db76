import { hello } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'pipelined',
  title: 'Sixteen requests pipelined',
  about: '`GET /`, sixteen requests in one write, 32 connections',
  load: { connections: 32, path: '/', pipelined: 16, expect: { status: 200, body: hello } },
});
