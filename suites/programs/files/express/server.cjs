const express = require('express');

const app = express();
app.use(express.json());
app.get('/user/:id', (request, response) => response.json({ id: request.params.id }));
app.post('/echo', (request, response) => response.json(request.body));
app.listen(process.env.PORT ?? 3000);
