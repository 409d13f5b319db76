import express from 'express';

const app = express();
app.get('/user/:id', (req, res) => res.json({ id: req.params.id, host: req.hostname }));
app.post('/echo', express.json(), (req, res) => res.send(req.body));
const port = 3000;
app.listen(port, () => console.log(`Example app listening on port ${port}`));
