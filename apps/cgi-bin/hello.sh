#!/bin/sh
# The smallest CGI program: a header, an empty line, a body.
printf 'Content-Type: text/plain\r\n\r\n'
printf 'hello, %s %s?%s\n' "$REQUEST_METHOD" "$PATH_INFO" "$QUERY_STRING"
