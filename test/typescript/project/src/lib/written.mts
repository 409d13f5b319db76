export const file = import.meta.url.split('/').pop();
export default 'an ES module';
