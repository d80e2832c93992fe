"""Every page of the desk, found as a person finds them: by following links from the first page."""

import re
from html import unescape

from django.urls import Resolver404, resolve

LINK = re.compile(r'<a\b[^>]*\bhref="([^"#]+)"')


def crawl(client, *, start="/", skip=frozenset()):
    """The address of the first page met of each route, by route; pages alone, not what they load or hand out."""
    found, queue, seen = {}, [start], {start: 1}
    while queue:
        path = queue.pop(0)
        name = resolve(path.split("?")[0]).view_name
        if name in skip or name in found:
            continue
        answer = client.get(path)
        assert answer.status_code < 400, f"{path} answered {answer.status_code}"
        if answer.status_code != 200 or "text/html" not in answer.headers["Content-Type"]:
            continue
        found[name] = path
        queue += [link for link in links(answer.content.decode()) if not seen.setdefault(link, 0)]
        seen |= dict.fromkeys(queue, 1)
    return found


def links(page):
    for address in LINK.findall(page):
        path = unescape(address)
        try:
            if path.startswith("/") and not path.startswith(("/admin/", "/static/", "/media/")):
                resolve(path.split("?")[0])
                yield path
        except Resolver404:
            continue
