// Preloaded: writes what is published to standard error.

const { channel, subscribe, tracingChannel } = require('node:diagnostics_channel');
const http = require('node:http');
const { Socket } = require('node:net');

const say = (name, payload) => process.stderr.write(`NEWS ${JSON.stringify([name, payload])}\n`);

for (const name of ['http.server.request.start', 'http.server.response.created', 'http.server.response.finish'])
  subscribe(name, ({ request, response, socket, server, ...rest }) => {
    say(name, {
      request: request instanceof http.IncomingMessage && request.url,
      response: response instanceof http.ServerResponse && response.req === request && response.statusCode,
      ...(socket && { socket: socket instanceof Socket && socket === request.socket }),
      ...(server && { server: server instanceof http.Server && socket.server === server }),
      rest: Object.keys(rest),
    });
  });

if (process.env.OWN_CHANNEL) {
  const events = {};
  for (const event of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'])
    events[event] = ({ interface: name, method, url, headers, remoteAddress, status, error }) =>
      say(event, { name, method, url, via: headers?.via, remoteAddress, status, error: error?.message });
  tracingChannel('tsgun.request').subscribe(events);
}
module.exports = channel;
