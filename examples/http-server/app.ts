// A server of `node:http` that does not listen: tsgun does that in its place.
import { createServer } from 'node:http';
import plain from '../plain/app.ts';

export default createServer(plain);
