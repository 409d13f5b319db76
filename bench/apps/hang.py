"""
apps/hang.js for gunicorn with threads. A loop of Python does not stop the other threads; what keeps the interpreter's lock
does, as a regular expression that backtracks.
"""

import re
import time

body = b'fine\n'


def app(environ, start_response):
    if environ['PATH_INFO'] == '/hang':
        re.match('^(a+)+$', 'a' * 60 + 'b')
    if environ['PATH_INFO'] == '/wait':
        time.sleep(3600)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
