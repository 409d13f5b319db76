"""The routes (routes.mjs) as an ASGI app."""

import asyncio
import os

from app import as_json, compressed, fib_text, hello, hundred_k, large, release, spin_forever, status, ten_k, works


async def length_of(receive):
    length = 0
    while True:
        message = await receive()
        length += len(message.get('body', b''))
        if not message.get('more_body'):
            return b'%d\n' % length


async def app(scope, receive, send):
    if scope['type'] != 'http':
        return
    path = scope['path']
    kind = b'text/plain'
    body = hello
    if path == '/json':
        kind = b'application/json'
        body = as_json()
    elif path == '/10k':
        kind = b'application/octet-stream'
        body = ten_k
    elif path == '/100k':
        kind = b'application/octet-stream'
        body = hundred_k
    elif path == '/gzip':
        kind = b'application/json'
        body = compressed()
    elif path.startswith('/fib/'):
        body = fib_text(path)
    elif path == '/download':
        kind = b'application/octet-stream'
        body = large
    elif path == '/upload':
        body = await length_of(receive)
    elif path.startswith('/release/'):
        body = f'{release} {path}\n'.encode()
    elif path == '/hang':
        spin_forever()
    elif path == '/abort':
        os.abort()
    elif path == '/wait':
        await asyncio.sleep(1)
    elif path in works:
        works[path]()
    code = int(status[:3]) if path == '/' else 200
    headers = [(b'Content-Type', kind), (b'Content-Length', str(len(body)).encode())]
    if path == '/gzip':
        headers.append((b'Content-Encoding', b'gzip'))
    await send({'type': 'http.response.start', 'status': code, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})
