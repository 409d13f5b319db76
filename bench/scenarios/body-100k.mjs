import { hundredK } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'body-100k',
  title: 'A body of 100 KB',
  about: '`GET /100k`, answered with 100 KB that are in memory; 32 connections',
  load: { connections: 32, path: '/100k', expect: { status: 200, body: hundredK } },
});
