/**
 * Tests that plain node passes and that fail with tsgun, each group with its reason. docs/interfaces.md says the same in users'
 * words.
 */

const target = 'a target with <, > or " is refused with 400 (RFC 3986 §2)';
const statuses = 'statuses from 600 to 999, and 101 without an upgrade, are refused (RFC 9110 §15)';
const connection = "listeners for `connection` are called with a connection's first request";
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
      why: 'a Host that is none is refused with 400 (RFC 9112 §3.2)',
    },
  ],
  'on-finished': [
    { tests: /when requests pipelined|when response errors|when request errors/, why: inTurn },
    { tests: /when CONNECT method/, why: 'CONNECT is answered 501' },
  ],
  ws: [
    { tests: /emits the 'close' event after the server closes/, why: connection },
    {
      tests: /fails if the Upgrade header field value cannot be read/,
      why: '`maxHeadersCount` has no effect: too many fields are refused with 431, none is left out',
    },
  ],
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
  node: [
    {
      tests:
        /blank-header|header-badrequest|chunk-extensions-limit|header-overflow|max-http-headers|missing-header-separator|insecure-parser|invalid-te|reject-|request-smuggling|transfer-encoding-|server-client-error|destroy-socket-on-client-error|request-host-header/,
      why: 'what is no valid request is answered by the parser, in its own words; `clientError` is not emitted',
    },
    { tests: /http-(?:after-)?connect/, why: 'CONNECT is answered 501' },
    {
      tests: /max-headers-count|rawheaders-limit/,
      why: '`maxHeadersCount` has no effect: too many fields are refused with 431',
    },
    { tests: /options-(?:incoming-message|server-response)/, why: 'own classes have no effect' },
    { tests: /expect-handling/, why: '`checkExpectation` is not emitted: other expectations are answered 417' },
    {
      tests: /headers-timeout|request-timeout|keep-alive-timeout|close-destroy-timeout/,
      why: 'the times are settings of tsgun; they are checked every quarter of a second',
    },
    { tests: /keep-alive-(?:max-requests|drop-requests)/, why: '`maxRequestsPerSocket` has no effect' },
    { tests: /pipeline-assertionerror|incoming-pipelined-socket-destroy|pipeline-socket-parser/, why: inTurn },
    {
      tests: /connection-list-when-close|unconsume|optimize-empty-requests/,
      why: 'they look at what is within: `socket.parser`, `socket._handle`, a symbol',
    },
    {
      tests: /automatic-headers|raw-headers|chunked-304|remove-connection-header/,
      why: "fields about the connection are the server's, and stand last; HTTP/1.1 needs no `Connection: keep-alive`",
    },
    {
      tests: /double-content-length|response-multi-content-length/,
      why: 'two Content-Length in an answer are an error of the app',
    },
    { tests: /server-multiheaders/, why: 'two Content-Type in a request are refused with 400' },
    { tests: /dump-req-when-res-ends/, why: 'until an upgrade, `req.socket` carries no bytes itself' },
  ],
};
