/** An answer in HTTP/1.1 where no request is read: to a client that speaks the wrong protocol. */

import type { HttpError } from './errors.ts';

export function plainAnswer({ statusLine, message }: HttpError): string {
  const body = `${statusLine}\n${message}\n`;
  return (
    `HTTP/1.1 ${statusLine}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}
