import { list } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'json',
  title: 'JSON',
  about: '`GET /json`: a list of twenty objects, made and serialised anew for each request; 32 connections',
  isMain: true,
  load: { connections: 32, path: '/json', expect: { status: 200, body: list } },
});
