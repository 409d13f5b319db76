/** apps/fib.ts without its types, and without what the comparison does not do either. */

const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));

export default (env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [`fib: ${fib(Number(env.PATH_INFO.slice(1)))}\n`];
};
