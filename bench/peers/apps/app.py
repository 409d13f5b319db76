"""The routes (routes.mjs) as a WSGI app."""

import gzip
import json
import logging
import os
import sys
import time

with open(os.environ['RELEASE_FILE']) as file:
    release = file.read().strip()
if release == 'broken':
    raise RuntimeError('this release is broken')

status = '500 Internal Server Error' if release == 'faulty' else '200 OK'
hello = b'Hello, world!\n'
ten_k = b'x' * (10 * 1024)
hundred_k = b'x' * (100 * 1024)
large = b'x' * (16 * 1024 ** 2)
kept = []
log = logging.getLogger('app')
log.addHandler(logging.StreamHandler(sys.stdout))
log.setLevel(logging.INFO)


def items():
    result = []
    for number in range(1, 21):
        price = number * 101
        quantity = number % 5 + 1
        result.append({
            'id': number, 'name': f'Item {number}', 'price': price, 'quantity': quantity,
            'total': price * quantity, 'active': number % 2 == 0,
        })
    return {'items': result}


def as_json():
    return json.dumps(items(), separators=(',', ':')).encode()


def spin_forever():
    while True:
        pass


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def fib_text(path):
    return b'%d\n' % fib(int(path[5:]))


def compressed():
    return gzip.compress(as_json(), 6)


def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


# What is done before the 14 bytes are answered, by path.
works = {
    '/cpu': lambda: compute(0.01),
    '/leak': lambda: kept.append([0.5] * 65_536),
    '/log': lambda: log.info('a request of release %s', release),
}


def length_of(stream):
    length = 0
    while piece := stream.read(65536):
        length += len(piece)
    return b'%d\n' % length


def answer_compressed(start_response):
    body = compressed()
    fields = [('Content-Type', 'application/json'), ('Content-Encoding', 'gzip'), ('Content-Length', str(len(body)))]
    start_response('200 OK', fields)
    return [body]


def app(environ, start_response):
    path = environ['PATH_INFO']
    kind = 'text/plain'
    body = hello
    if path == '/json':
        kind = 'application/json'
        body = as_json()
    elif path == '/10k':
        kind = 'application/octet-stream'
        body = ten_k
    elif path == '/100k':
        kind = 'application/octet-stream'
        body = hundred_k
    elif path == '/gzip':
        return answer_compressed(start_response)
    elif path.startswith('/fib/'):
        body = fib_text(path)
    elif path == '/download':
        kind = 'application/octet-stream'
        body = large
    elif path == '/upload':
        body = length_of(environ['wsgi.input'])
    elif path.startswith('/release/'):
        body = f'{release} {path}\n'.encode()
    elif path == '/hang':
        spin_forever()
    elif path == '/abort':
        os.abort()
    elif path == '/wait':
        time.sleep(1)
    elif path in works:
        works[path]()
    start_response(status if path == '/' else '200 OK', [('Content-Type', kind), ('Content-Length', str(len(body)))])
    return [body]
