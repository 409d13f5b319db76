import { throughput } from '../lib/throughput.mjs';

export default throughput({
  id: 'fib',
  title: 'Work for the processor',
  about:
    '`GET /fib/22`: the Fibonacci number of 22, computed naively, 57,313 calls of a function; 32 connections. It says more about the language than about the server',
  load: { connections: 32, path: '/fib/22', expect: { status: 200, body: '17711\n' } },
});
