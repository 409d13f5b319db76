"""apps/crash.js for gunicorn."""

import os

body = b'fine\n'


def app(environ, start_response):
    if environ['PATH_INFO'] == '/abort':
        os.abort()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
