"""The routes (routes.mjs) as a WSGI app."""

import json
import os
import time

with open(os.environ['RELEASE_FILE']) as file:
    release = file.read().strip()
if release == 'broken':
    raise RuntimeError('this release is broken')

hello = b'Hello, world!\n'
ten_k = b'x' * (10 * 1024)


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


def length_of(stream):
    length = 0
    while piece := stream.read(65536):
        length += len(piece)
    return b'%d\n' % length


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
    start_response('200 OK', [('Content-Type', kind), ('Content-Length', str(len(body)))])
    return [body]
