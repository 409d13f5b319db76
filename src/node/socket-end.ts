/** The end of a client's data, when Node reads it: the event `end` comes only once the app has read all before it. */

import type { Socket } from 'node:net';
import { internalsAreOff } from './switch.ts';

/** Calls back once when the client's end has been read; if Node does not show that, at the event. */
export function onClientEnd(socket: Socket, listener: () => void): void {
  let isTold = false;
  const tell = () => {
    if (!isTold) listener();
    isTold = true;
  };
  socket.once('end', tell);
  if (internalsAreOff) return;
  const { push } = socket;
  socket.push = (...args) => {
    const isTaking = push.apply(socket, args);
    if (args[0] === null) tell();
    return isTaking;
  };
}
