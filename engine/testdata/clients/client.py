"""A client as Python's library has it: asks host:port for pages on one
connection, then sends and fetches bodies of a size, by length and in chunks.
Prints what it got, a word a line."""

import hashlib
import http.client
import sys

address, size = sys.argv[1], int(sys.argv[2])
piece = b"0123456789abcdef" * 4096


def pieces():
    for _ in range(size // len(piece)):
        yield piece


def fetch(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    found = hashlib.sha256()
    while part := answer.read(1 << 16):
        found.update(part)
    return found.hexdigest()


connection = http.client.HTTPConnection(address, timeout=20)
for _ in range(20):
    connection.request("GET", "/page")
    page = connection.getresponse().read().decode()
print(page)
socket = connection.sock
connection.request("POST", "/sum", body=pieces(), headers={"Content-Length": str(size)})
print(connection.getresponse().read().decode())
connection.request("POST", "/sum", body=pieces())
print(connection.getresponse().read().decode())
print(fetch(connection, "/length/%d" % size))
print(fetch(connection, "/chunked/%d" % size))
print("one" if connection.sock is socket else "several")
