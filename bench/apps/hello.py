"""apps/hello.js for gunicorn."""

body = b'Hello, world!\n'


def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
