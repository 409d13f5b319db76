import { throughput } from '../lib/throughput.mjs';

const bodyBytes = 1024 * 1024;

export default throughput({
  id: 'upload',
  title: 'Uploads of 1 MB',
  about: '`POST` of 1 MB, which the app reads to its end and counts; 8 connections',
  isMain: true,
  load: {
    connections: 8,
    method: 'POST',
    path: '/upload',
    headers: { 'Content-Type': 'application/octet-stream' },
    bodyBytes,
    expect: { status: 200, body: `${bodyBytes}\n` },
  },
});
