import path = require('node:path');
export = { base: path.basename(__filename) };
