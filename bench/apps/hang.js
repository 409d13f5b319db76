/** `/wait` is never answered, `/hang` stops its worker, anything else is answered at once. */

export default async (env, startResponse) => {
  if (env.PATH_INFO === '/hang') for (;;);
  if (env.PATH_INFO === '/wait') await new Promise(() => {});
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['fine\n'];
};
