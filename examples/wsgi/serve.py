"""serve.py SITE PORT: serves SITE.py on 127.0.0.1:PORT, by eventlet.

Only the balancer beside it can connect there; a line for each request goes to
standard error."""

import importlib
import sys

import eventlet
from eventlet import wsgi

site, port = sys.argv[1], int(sys.argv[2])
application = importlib.import_module(site).application
wsgi.server(eventlet.listen(("127.0.0.1", port)), application)
