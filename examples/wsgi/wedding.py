"""A guest book. It lives in memory, so that its guests have to come back to the
process they wrote to: that is what SERVERID is for."""

from html import escape
from urllib.parse import parse_qs

from seen import seen

guests = []


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/check.txt":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok\n"]
    if path == "/seen":
        return seen("wedding", environ, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        guests.extend(parse_qs(environ["wsgi.input"].read().decode()).get("name", []))
        start_response("303 See Other", [("Location", "/")])
        return [b""]
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    names = "".join("<li>%s</li>" % escape(name) for name in guests)
    page = '<title>Wedding</title><form method="post"><input name="name"><button>I come</button></form><ul>%s</ul>' % names
    return [page.encode()]
