"""apps/fib.mjs for gunicorn."""


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def app(environ, start_response):
    body = b'fib: %d\n' % fib(int(environ['PATH_INFO'][1:]))
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
