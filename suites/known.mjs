/**
 * Tests that plain node passes and that fail with tsgun, by their whole names, each group with its reason. docs/interfaces.md says
 * the same in users' words. Not all of Node's own are in each version of it.
 */

const target = 'a target with <, > or " is refused with 400 (RFC 3986 §2)';
const statuses = 'statuses from 600 to 999, and 1xx as the answer, are refused (RFC 9110 §15)';
const host =
  'a Host that is missing, malformed or there twice is refused with 400, with an upgrade too (RFC 9112 §3.2); so are two Content-Type';
const inTurn =
  'pipelined requests run one after another, and what follows a request is read when that has been answered';
const ownFields =
  "fields about the connection are the server's, and stand last; HTTP/1.1 needs no `Connection: keep-alive`";
const ownWords =
  "what is no valid request, or is late, is answered in tsgun's own words; `clientError` comes once for a connection, and without `bytesParsed`";

const nodes = (...names) => names.map((name) => `test-http-${name}.js`);

export const known = {
  'express 5': [
    {
      tests: [
        'res when accepting html should escape the url',
        'res when accepting html should not render evil javascript links in anchor href (prevent XSS)',
        'res when accepting text should encode the url',
      ],
      why: target,
    },
    {
      tests: [
        'res .status(code) accept valid ranges should set the response status code to 101',
        'res .status(code) accept valid ranges should set the response status code to 700',
        'res .status(code) accept valid ranges should set the response status code to 800',
        'res .status(code) accept valid ranges should set the response status code to 900',
      ],
      why: statuses,
    },
  ],
  'express 4': [
    {
      tests: [
        'res when accepting html should escape the url',
        'res when accepting html should not render evil javascript links in anchor href (prevent XSS)',
        'res when accepting text should encode the url',
      ],
      why: target,
    },
  ],
  connect: [{ tests: ['app 404 handler should escape the 404 response body'], why: target }],
  koa: [
    {
      tests: [
        'app.respond > when .body is missing > with custom status=700 > should respond with the associated status message',
        'app.respond > when .body is missing > with custom status without message > should respond with the status code number',
      ],
      why: statuses,
    },
    {
      tests: [
        'res.status= > when 205 > should strip content related header fields',
        'res.status= > when 205 > should strip content related header fields after status set',
      ],
      why: '205 says Content-Length: 0 (RFC 9112 §6.3)',
    },
    {
      tests: ['app.response > should not add Content-Length when Transfer-Encoding is defined'],
      why: 'an answer that is there as a whole has a Content-Length, whatever Transfer-Encoding the app sets',
    },
  ],
  'express-session': [
    {
      tests: [
        'session() cookie option when "path" set to "/foo/bar" should not set cookie for "http://foo/bar" request',
      ],
      why: host,
    },
  ],
  'on-finished': [
    {
      tests: [
        'onFinished(res, listener) when requests pipelined should fire for each request',
        'onFinished(res, listener) when response errors should fire with error',
        'onFinished(res, listener) when response errors should include the response object',
        'isFinished(res) when requests pipelined should have correct state when socket shared',
        'isFinished(res) when response errors should return true',
        'onFinished(req, listener) when request errors should fire with error',
        'onFinished(req, listener) when request errors should include the request object',
        'onFinished(req, listener) when requests pipelined should handle socket errors',
        'isFinished(req) when request errors should return true',
      ],
      why: inTurn,
    },
  ],
  morgan: [{ tests: ['morgan() formats dev should not color 1xx'], why: statuses }],
  ws: [
    {
      tests: ['WebSocketServer Connection establishing fails if the Upgrade header field value cannot be read'],
      why: '`maxHeadersCount` leaves out no field: too many are refused with 431',
    },
  ],
  'engine.io': [
    {
      tests: [
        'engine attach() should destroy upgrades not handled by engine',
        'engine attach() should destroy unhandled upgrades with after a timeout',
      ],
      why: host,
    },
  ],
  '@hono/node-server': [
    {
      tests: [
        'body reads after client disconnect reads a complete content-length body',
        'body reads after client disconnect reads a complete chunked body',
        'body reads after client disconnect rejects a body read after the raw stream consumed the disconnected body',
        'body reads after client disconnect reads a complete body via formData()',
        'body reads after client disconnect reads a complete body through the raw body stream',
        'body reads after client disconnect reads a complete body even when request properties were accessed after disconnect',
      ],
      why: 'a body comes to the request when that is read: unread when the client leaves, it is lost, and `complete` stays false',
    },
    {
      tests: [
        'lingering close for early 413 responses Should keep HTTP/1 connection graceful after body-limit sends 413',
      ],
      why: 'the connection of a refused upload ends behind the answer, which its client gets whole',
    },
  ],
  fastify: [
    {
      tests: ['404s.test.js > Unknown method'],
      why: 'methods that Node does not know reach the app (RFC 9110 §9.1), and Fastify answers them; `inject` is not concerned',
    },
    {
      tests: [
        'header-overflow.test.js > Should return 431 if request header fields are too large',
        'header-overflow.test.js > Should return 431 if URI is too long',
      ],
      why: '`maxHeaderSize` has no effect: `--limit-request-field-size` and `--limit-request-line` decide',
    },
    {
      tests: [
        'close-pipelining.test.js > Should return 503 while closing - pipelining',
        'close-pipelining.test.js > Should close the socket abruptly - pipelining - return503OnClosing: false',
        'close.test.js > Current opened connection should NOT continue to work after closing and return "connection: close" header - return503OnClosing: false',
        'close.test.js > Current opened connection should not accept new incoming connections',
        'close.test.js > rejected incoming connections should be logged',
      ],
      why: 'what is answered while the server closes says `Connection: close`, and no request is read behind it: there is no 503',
    },
    {
      tests: [
        'max-requests-per-socket.test.js > maxRequestsPerSocket',
        'max-requests-per-socket.test.js > maxRequestsPerSocket zero should behave same as null',
      ],
      why: 'HTTP/1.1 needs no `Connection: keep-alive`; the last answer that `maxRequestsPerSocket` allows ends the connection: no 503',
    },
  ],
  node: [
    {
      tests: nodes(
        'blank-header',
        'chunk-extensions-limit',
        'header-overflow',
        'insecure-parser',
        'invalid-te',
        'max-http-headers',
        'missing-header-separator-cr',
        'missing-header-separator-lf',
        'request-smuggling-content-length',
        'server-client-error',
        'server-destroy-socket-on-client-error',
        'server-headers-timeout-delayed-headers',
        'server-headers-timeout-interrupted-headers',
        'server-headers-timeout-keepalive',
        'server-headers-timeout-pipelining',
        'server-reject-chunked-with-content-length',
        'server-reject-cr-no-lf',
        'server-request-timeout-delayed-body',
        'server-request-timeout-delayed-headers',
        'server-request-timeout-interrupted-body',
        'server-request-timeout-interrupted-headers',
        'server-request-timeout-keepalive',
        'server-request-timeout-pipelining',
        'socket-error-listeners',
        'transfer-encoding-repeated-chunked',
        'transfer-encoding-smuggling',
      ),
      why: ownWords,
    },
    {
      tests: nodes(
        'header-owstext',
        'host-header-ipv6-fail',
        'server-multiheaders',
        'server-multiheaders2',
        'server-request-timeout-upgrade',
        'upgrade-server2',
      ),
      why: host,
    },
    { tests: nodes('max-headers-count'), why: '`maxHeadersCount` leaves out no field: too many are refused with 431' },
    {
      tests: nodes('keep-alive-drop-requests', 'keep-alive-max-requests'),
      why: 'the last answer that `maxRequestsPerSocket` allows ends the connection: no 503, no `dropRequest`',
    },
    {
      tests: nodes(
        'incoming-pipelined-socket-destroy',
        'pipeline-assertionerror-finish',
        'pipeline-socket-parser-typeerror',
        'server-keep-alive-timeout',
      ),
      why: inTurn,
    },
    {
      tests: nodes(
        'connect',
        'information-headers',
        'req-close-robust-from-tampering',
        'response-cork',
        'server-async-dispose',
        'server-close-destroy-timeout',
        'server-connection-list-when-close',
        'server-keepalive-end',
        'server-optimize-empty-requests',
        'server-unconsume',
        'server-unconsume-consume',
      ),
      why: 'they look at what is within: `socket.parser`, `socket._handle`, `_events`, `res._writeRaw`, a symbol, the number of listeners that a socket has',
    },
    {
      tests: nodes(
        '1.0',
        'automatic-headers',
        'chunked-304',
        'content-length',
        'keep-alive-timeout-custom',
        'raw-headers',
        'remove-connection-header-persists-connection',
        'response-multi-content-length',
      ),
      why: ownFields,
    },
    {
      tests: nodes('mutable-headers', 'server-close-all', 'server-close-idle'),
      why: 'an answer that is known as a whole has a Content-Length, where Node sends chunks',
    },
    {
      tests: nodes('remove-header-stays-removed'),
      why: "framing is the server's: a length is sent even if the app has removed that field",
    },
    {
      tests: nodes('response-multiheaders'),
      why: 'two Content-Length, or two Content-Type, in an answer are an error of the app',
    },
    {
      tests: nodes('server-de-chunked-trailer'),
      why: 'the field `Trailer` beside a Content-Length is no error: there are no trailers then',
    },
    {
      tests: nodes('res-write-after-end', 'outgoing-end-multiple'),
      why: 'a response is closed soon after its end: a write after it returns false, and no `error` is emitted',
    },
    {
      tests: nodes('server-capture-rejections'),
      why: 'a handler whose promise rejects is answered 500 by tsgun and logged, whatever `captureRejections` says',
    },
    {
      tests: nodes('set-timeout-server'),
      why: 'a server without a listener for requests answers 500, where in Node its clients wait',
    },
    { tests: nodes('server'), why: '`httpAllowHalfOpen` has no effect: a client that closes its half has left' },
    {
      tests: nodes('upgrade-server-callback'),
      why: 'an upgrade for which there is no listener is served as a request (RFC 9110 §7.8); a callback that throws is answered 500',
    },
    {
      tests: nodes('upgrade-advertise'),
      why: 'upgrades to versions of HTTP (`h2c`) are ignored: they are no protocol of an app',
    },
    {
      tests: nodes('dump-req-when-res-ends', 'no-read-no-dump'),
      why: 'until an upgrade, `req.socket` carries no bytes itself',
    },
  ],
};
