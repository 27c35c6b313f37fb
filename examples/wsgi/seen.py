"""What an application sees of a request behind the balancer, as a page."""


def seen(site, environ, start_response):
    lines = ["site: " + site, "%s %s" % (environ["REQUEST_METHOD"], environ["PATH_INFO"])]
    lines += sorted(
        "%s: %s" % (name[5:].lower().replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    )
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return ["\n".join(lines + [""]).encode()]
