/**
 * Tests that plain node passes and that fail with tsgun, each group with its reason. docs/interfaces.md says the same in users'
 * words.
 */

const target = 'a target with <, > or " is refused with 400 (RFC 3986 §2)';
const statuses = 'statuses from 600 to 999, and 1xx as the answer, are refused (RFC 9110 §15)';
const host =
  'a Host that is missing, malformed or there twice is refused with 400, with an upgrade too (RFC 9112 §3.2); so are two Content-Type';
const inTurn =
  'pipelined requests run one after another, and what follows a request is read when that has been answered';

export const known = {
  'express 5': [
    {
      tests: /should escape the url|should not render evil javascript links|accepting text should encode the url/,
      why: target,
    },
    { tests: /response status code to (?:101|700|800|900)/, why: statuses },
  ],
  'express 4': [
    {
      tests: /should escape the url|should not render evil javascript links|accepting text should encode the url/,
      why: target,
    },
    { tests: /response status code to (?:101|700|800|900)/, why: statuses },
  ],
  connect: [{ tests: /should escape the 404 response body/, why: target }],
  koa: [
    { tests: /custom status=700|custom status without message/, why: statuses },
    {
      tests: /when 205 > should strip content related header fields/,
      why: '205 says Content-Length: 0 (RFC 9112 §6.3)',
    },
    {
      tests: /should not add Content-Length when Transfer-Encoding is defined/,
      why: 'an answer that is there as a whole has a Content-Length, whatever Transfer-Encoding the app sets',
    },
  ],
  'express-session': [
    {
      tests: /should not set cookie for "http:\/\/foo\/bar" request/,
      why: host,
    },
  ],
  'on-finished': [{ tests: /when requests pipelined|when response errors|when request errors/, why: inTurn }],
  morgan: [{ tests: /should not color 1xx/, why: statuses }],
  ws: [
    {
      tests: /fails if the Upgrade header field value cannot be read/,
      why: '`maxHeadersCount` has no effect: too many fields are refused with 431, none is left out',
    },
  ],
  'engine.io': [{ tests: /should destroy unhandled upgrades with after a timeout/, why: host }],
  '@hono/node-server': [
    {
      tests: /body reads after client disconnect/,
      why: 'a body comes to the request when that is read: unread when the client leaves, it is lost, and `complete` stays false',
    },
    {
      tests: /lingering close for early 413 responses/,
      why: 'the connection of a refused upload ends behind the answer, which its client gets whole',
    },
  ],
  fastify: [
    {
      tests: /Unknown method/,
      why: 'methods that Node does not know reach the app (RFC 9110 §9.1), and Fastify answers them; `inject` is not concerned',
    },
    {
      tests: /header-overflow/,
      why: '`maxHeaderSize` has no effect: `--limit-request-field-size` and `--limit-request-line` decide',
    },
    { tests: /client-timeout/, why: 'the times are settings of tsgun' },
    {
      tests: /close-pipelining|close\.test\.js/,
      why: 'what is answered while the server closes says `Connection: close`, and no request is read behind it: there is no 503',
    },
    {
      tests: /max-requests-per-socket/,
      why: 'HTTP/1.1 needs no `Connection: keep-alive`; the last answer that `maxRequestsPerSocket` allows ends the connection: no 503',
    },
  ],
  node: [
    {
      tests:
        /blank-header|chunk-extensions-limit|header-overflow|max-http-headers|missing-header-separator|insecure-parser|invalid-te|reject-|request-smuggling|transfer-encoding-|server-client-error|socket-error-listeners|destroy-socket-on-client-error|request-host-header/,
      why: "what is no valid request is answered in the parser's own words; `clientError` comes once for a connection, and without `bytesParsed`",
    },
    { tests: /header-owstext|host-header-ipv6-fail|server-multiheaders|upgrade-server2/, why: host },
    {
      tests: /max-headers-count|rawheaders-limit/,
      why: '`maxHeadersCount` has no effect: too many fields are refused with 431',
    },
    {
      tests: /headers-timeout|request-timeout|keep-alive-timeout/,
      why: 'the times are settings of tsgun; they are checked every quarter of a second',
    },
    {
      tests: /keep-alive-(?:max-requests|drop-requests)/,
      why: 'the last answer that `maxRequestsPerSocket` allows ends the connection: no 503, no `dropRequest`',
    },
    { tests: /pipeline-assertionerror|incoming-pipelined-socket-destroy|pipeline-socket-parser/, why: inTurn },
    {
      tests:
        /connection-list-when-close|unconsume|optimize-empty-requests|keepalive-end|req-close-robust|response-cork|async-dispose|close-destroy-timeout|information-headers|http-connect\.js/,
      why: 'they look at what is within: `socket.parser`, `socket._handle`, `_events`, `res._writeRaw`, a symbol, the number of listeners that a socket has',
    },
    {
      tests: /http-1\.0|content-length\.js|automatic-headers|raw-headers|chunked-304|remove-connection-header/,
      why: "fields about the connection are the server's, and stand last; HTTP/1.1 needs no `Connection: keep-alive`",
    },
    {
      tests: /mutable-headers|server-close-(?:idle|all)/,
      why: 'an answer that is known as a whole has a Content-Length, where Node sends chunks',
    },
    {
      tests: /remove-header-stays-removed/,
      why: "framing is the server's: a length is sent even if the app has removed that field",
    },
    {
      tests: /double-content-length|response-multi-content-length|response-multiheaders/,
      why: 'two Content-Length, or two Content-Type, in an answer are an error of the app',
    },
    {
      tests: /de-chunked-trailer/,
      why: 'the field `Trailer` beside a Content-Length is no error: there are no trailers then',
    },
    {
      tests: /res-write-after-end|outgoing-end-multiple/,
      why: 'a response is closed soon after its end: a write after it returns false, and no `error` is emitted',
    },
    {
      tests: /capture-rejections/,
      why: 'a handler whose promise rejects is answered 500 by tsgun and logged, whatever `captureRejections` says',
    },
    {
      tests: /set-timeout-server/,
      why: 'a server without a listener for requests answers 500, where in Node its clients wait',
    },
    { tests: /test-http-server\.js/, why: '`httpAllowHalfOpen` has no effect: a client that closes its half has left' },
    {
      tests: /upgrade-server-callback/,
      why: 'an upgrade for which there is no listener is served as a request (RFC 9110 §7.8); a callback that throws is answered 500',
    },
    {
      tests: /upgrade-advertise/,
      why: 'upgrades to versions of HTTP (`h2c`) are ignored: they are no protocol of an app',
    },
    { tests: /dump-req-when-res-ends|no-read-no-dump/, why: 'until an upgrade, `req.socket` carries no bytes itself' },
  ],
};
