import { list } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'gzip',
  title: 'JSON, compressed by the app',
  about:
    '`GET /gzip`: the list of twenty objects, made, serialised and compressed with gzip anew for each request; 32 connections',
  load: {
    connections: 32,
    path: '/gzip',
    headers: { 'Accept-Encoding': 'gzip' },
    expect: { status: 200, body: list, isCompressed: true },
  },
});
