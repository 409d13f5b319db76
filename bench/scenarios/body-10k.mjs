import { tenK } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'body-10k',
  title: 'Answers of 10 KB',
  about: '`GET /10k`, answered with 10,240 bytes that lie in memory; 32 connections',
  load: { connections: 32, path: '/10k', expect: { status: 200, body: tenK } },
});
