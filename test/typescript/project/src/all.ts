export * from '@lib/dto';
export { default as plain } from './plain';
export { Shape as Again } from './lib/dto';
import fs = require('node:fs');
export const reads = typeof fs.readFileSync;
