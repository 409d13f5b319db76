/** `/abort` ends its worker, as a bug in native code would; anything else is answered at once. */

export default (env, startResponse) => {
  if (env.PATH_INFO === '/abort') process.abort();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['fine\n'];
};
