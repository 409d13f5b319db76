export default defineEventHandler((event) => ({ path: event.path, method: event.method }));
