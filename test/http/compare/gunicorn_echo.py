"""What ../echo-app.ts does, as a WSGI app for gunicorn."""

import json
import os

BODY_LIMIT = int(os.environ["BODY_LIMIT"])


def app(environ, start_response):
    if environ["RAW_URI"] == "/unread":
        return answer(environ, start_response, b"")
    if int(environ.get("CONTENT_LENGTH") or 0) > BODY_LIMIT:
        return refuse(start_response)
    try:
        body = environ["wsgi.input"].read(BODY_LIMIT + 1)
    except OSError:
        return refuse(start_response, "400 Bad Request")
    if len(body) > BODY_LIMIT:
        return refuse(start_response)
    return answer(environ, start_response, body)


def answer(environ, start_response, body):
    echo = {
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "body": body.decode("latin1"),
        "environ": {},
    }
    text = json.dumps(echo).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]


def refuse(start_response, status="413 Request Entity Too Large"):
    start_response(status, [("Content-Length", "0")])
    return [b""]
