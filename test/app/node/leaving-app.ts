/** Says all that a Node handler sees of a client that leaves. The path says what the handler does meanwhile, and who asks. */

import type { IncomingMessage, RequestListener } from 'node:http';

/** @param say takes who asked, and what was seen */
export function watching(say: (id: string, what: string) => void): RequestListener {
  return (req, res) => {
    const [, does = '', id = ''] = req.url!.split('/');
    const { socket } = req;
    const state = () => {
      const is: Record<string, boolean> = {
        'socket destroyed': socket.destroyed,
        'socket writable': socket.writable,
        'socket readable': socket.readable,
        'req destroyed': req.destroyed,
        'req aborted': req.aborted,
        'req ended': req.readableEnded,
        'req complete': req.complete,
        'res destroyed': res.destroyed,
        'res finished': res.writableFinished,
        'res detached': res.socket === null,
      };
      return Object.keys(is).filter((name) => is[name]);
    };
    const see = (what: string) => {
      say(id, `${what} (${state().join(', ')})`);
      if (does === 'writes') say(id, `written at ${what}: ${res.write('x', () => {})}`);
    };
    const code = (error: NodeJS.ErrnoException) => String(error.code);
    // In HTTP/2, Node gives apps no socket of their own.
    if (req.httpVersionMajor === 2) {
      for (const name of ['aborted', 'close']) req.on(name, () => say(id, `req ${name}`));
      res.on('close', () => say(id, 'res close'));
      meanwhile[does]?.(req, res);
      return say(id, 'called');
    }
    for (const name of ['end', 'finish']) socket.on(name, () => see(`socket ${name}`));
    socket.on('error', (error) => see(`socket error ${code(error)}`));
    socket.on('close', (hadError) => {
      see(`socket close ${hadError}`);
      say(id, 'over');
    });
    for (const name of ['aborted', 'end', 'close']) req.on(name, () => see(`req ${name}`));
    req.on('error', (error) => see(`req error ${code(error)} ${error.message}`));
    for (const name of ['finish', 'close', 'error']) res.on(name, () => see(`res ${name}`));
    meanwhile[does]?.(req, res);
    say(id, 'called');
  };
}

const meanwhile: Record<string, (req: IncomingMessage, res: Parameters<RequestListener>[1]) => void> = {
  streams: (_, res) => void res.write('first'),
  reads: (req) => void req.resume(),
  answers: (_, res) => void res.end('done'),
};

export default watching((id, what) => console.log(`${id} ${what}`));
