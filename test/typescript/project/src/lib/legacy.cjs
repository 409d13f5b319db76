module.exports = { file: __filename.split('/').pop(), times: 3 };
