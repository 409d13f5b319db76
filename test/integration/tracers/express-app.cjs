const express = require('express');

const app = express();
app.get('/users/:id', (req, res) => res.send(`user ${req.params.id}`));
app.get('/failing', async (_req, res) => res.status(503).send('not now'));
module.exports = app;
