"""Every text of every page is translatable: in a language that brackets each text, none stands outside the brackets."""

import re
from html.parser import HTMLParser

import pytest
from django.utils import translation

from tests import pages
from tests.customers.test_import_pages import home  # noqa: F401  # uploads go to a folder of the test's own
from tests.showcase import make_showcase

SPOKEN = ("aria-label", "alt", "placeholder", "title")
# Code, what people type in, and long choices that name places and currencies.
SILENT = {"script", "style", "code", "kbd", "textarea", "select"}
BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[A-Za-z]{2,}")
# Names and codes that are the same in every language, and addresses.
SAME = re.compile(
    r"\b(Perennial|English|Deutsch|Español|EUR|UTC|MBG/NBD|BG/NBD|Gamma-Gamma|CSV|XLSX|API|RFM|Ctrl|KB|min)\b"
    r"|\b(shop|generic|customer_id|date|amount|unnamed|Not named in the file)\b"  # as it stands in the data
    r"|[\w.+-]+@[\w.-]+|https?://\S+|\b[A-Z]\w+/[\w/+-]+|/\w[\w/.-]*"
    r"|\b[\w-]+\.(csv|xlsx|py)\b|\b[A-Z]+-?\d+\b|\b\w*\d\w*\b"
)


class Texts(HTMLParser):
    """What a page says to eyes and ears, less code and what is typed in."""

    def __init__(self):
        super().__init__()
        self.found, self.silent = [], 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in SILENT
        self.found += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag):
        self.silent -= tag in SILENT

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.found.append(" ".join(data.split()))


def unmarked(page):
    """Texts with words outside brackets. A text may stand inside another, or between parts of one."""
    parser = Texts()
    parser.feed(page)
    text = "\n".join(parser.found)
    while BRACKETED.search(text):
        text = BRACKETED.sub("", text)
    return [line for line in text.split("\n") if WORD.search(SAME.sub("", line))]


@pytest.fixture
def brackets(monkeypatch):
    """Every translation is its text in brackets."""
    speaker = translation._trans
    monkeypatch.setattr(speaker, "gettext", lambda text: f"⟦{text}⟧", raising=False)
    monkeypatch.setattr(speaker, "pgettext", lambda context, text: f"⟦{text}⟧", raising=False)
    monkeypatch.setattr(speaker, "ngettext", lambda one, many, n: f"⟦{one if n == 1 else many}⟧", raising=False)
    monkeypatch.setattr(speaker, "npgettext", lambda c, one, many, n: f"⟦{one if n == 1 else many}⟧", raising=False)


def test_a_text_that_nobody_marked_is_found():
    assert unmarked('<p>⟦Hello ⟦you⟧⟧, 3 ⟦days⟧, a@example.com</p><p title="Forgotten">⟦x⟧</p>') == ["Forgotten"]


def test_every_page(client, db, brackets):
    make_showcase(client)
    client.cookies["django_language"] = "de"
    found = pages.crawl(client)
    assert {name: texts for name, path in found.items() if (texts := unmarked(client.get(path).content.decode()))} == {}
