/** The files of $STATIC_ROOT, as Express serves them. */

import express from 'express';

export default express().use(express.static(process.env.STATIC_ROOT));
