/** What every peer must answer; `peers/apps/routes.mjs` says the same to the apps. */

export const hello = 'Hello, world!\n';
export const tenK = 'x'.repeat(10 * 1024);
export const hundredK = 'x'.repeat(100 * 1024);

const items = Array.from({ length: 20 }, (_, index) => {
  const id = index + 1;
  const price = id * 101;
  const quantity = (id % 5) + 1;
  return { id, name: `Item ${id}`, price, quantity, total: price * quantity, active: id % 2 === 0 };
});
export const list = JSON.stringify({ items });
