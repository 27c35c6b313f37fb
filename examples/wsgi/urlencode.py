"""A site of one page: what is typed comes back encoded for an address."""

from html import escape
from urllib.parse import parse_qs, quote

from seen import seen

FORM = '<title>URL encode</title><form method="post"><input name="text"><button>encode</button></form><pre>%s</pre>'


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/check.txt":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok\n"]
    if path == "/seen":
        return seen("urlencode", environ, start_response)
    if path != "/":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"there is nothing here\n"]
    fields = parse_qs(environ["wsgi.input"].read().decode())
    page = FORM % escape(quote(fields.get("text", [""])[0]))
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Last-Modified", "Sat, 01 Jan 2011 00:00:00 GMT")])
    return [page.encode()]
