"""The routes (routes.mjs) as an ASGI app."""

import asyncio
import os

from app import as_json, hello, release, spin_forever, ten_k


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
    headers = [(b'Content-Type', kind), (b'Content-Length', str(len(body)).encode())]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})
