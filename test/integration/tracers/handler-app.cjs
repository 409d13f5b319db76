// Requires nothing, not even node:http.
module.exports = (_req, res) => res.end('plain');
