"""apps/overload.mjs for gunicorn with threads."""

import threading
import time

places = threading.Semaphore(10)
body = b'done\n'


def spin():
    end = time.thread_time() + 0.01
    while time.thread_time() < end:
        pass


def app(environ, start_response):
    if environ['PATH_INFO'] == '/cpu':
        spin()
    elif environ['PATH_INFO'] == '/pool':
        with places:
            time.sleep(0.1)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
