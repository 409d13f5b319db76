import { hello } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'hello',
  title: 'Hello, world',
  about: '`GET /`, answered with 14 bytes; 32 keep-alive connections',
  isMain: true,
  load: { connections: 32, path: '/', expect: { status: 200, body: hello } },
});
