"""Cursor pages: every row once, in order, forwards and back, whatever ties and gaps there are."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core import paging
from customers.models import Customer

pytestmark = pytest.mark.django_db


def phases(*, descending=False, walks=True):
    """Named customers by name, then those without a name by id."""
    rows = Customer.objects.exclude(sort_name="")
    named = paging.Phase(rows=rows, key="sort_name", descending=descending, walks=walks)
    return [named, paging.Phase(rows=Customer.objects.filter(sort_name=""))]


def make_people(names):
    return [Customer.objects.create(sort_name=name) for name in names]


def ids(page):
    return [row.pk for _, row in page.rows]


def walk(the_phases, size, way="next"):
    """All pages from the start by the links to the next one."""
    page = paging.page(the_phases, cursor="", size=size)
    pages = [page]
    while cursor := getattr(page, way):
        page = paging.page(the_phases, cursor=cursor, size=size)
        pages.append(page)
    return pages


class TestWalks(TestCase):
    @given(
        names=st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=14),
        size=st.integers(1, 5),
        descending=st.booleans(),
        walks=st.booleans(),
    )
    @settings(max_examples=60, deadline=None)
    def test_every_row_once_in_order(self, names, size, descending, walks):
        people = make_people(names)
        sign = -1 if descending else 1
        named = sorted((p for p in people if p.sort_name), key=lambda p: (ord(p.sort_name) * sign, p.pk * sign))
        expected = [p.pk for p in named] + [p.pk for p in people if not p.sort_name]
        pages = walk(phases(descending=descending, walks=walks), size)
        assert [pk for page in pages for pk in ids(page)] == expected

    @given(names=st.lists(st.sampled_from(["", "a", "b"]), min_size=1, max_size=12), size=st.integers(1, 4))
    @settings(max_examples=40, deadline=None)
    def test_back_leads_over_the_same_pages(self, names, size):
        make_people(names)
        pages = walk(phases(), size)
        page = pages[-1]
        for earlier in reversed(pages[:-1]):
            page = paging.page(phases(), cursor=page.previous, size=size)
            assert ids(page) == ids(earlier)
        assert page.previous == ""


def test_a_row_that_is_gone_does_not_stop_the_walk():
    _, second, third = make_people("abc")
    cursor = paging.page(phases(), cursor="", size=2).next
    second.delete()
    assert ids(paging.page(phases(), cursor=cursor, size=2)) == [third.pk]


def test_back_to_the_start_gives_a_full_first_page():
    """A row that came in before the page one goes back from does not leave a page of one."""
    first, second, _ = make_people("bcd")
    cursor = paging.page(phases(), cursor=paging.page(phases(), cursor="", size=1).next, size=1).previous
    new = make_people("a")[0]
    page = paging.page(phases(), cursor=cursor, size=3)
    assert ids(page) == [new.pk, first.pk, second.pk]
    assert page.previous == ""


def test_nothing_has_no_neighbours():
    assert paging.page(phases(), cursor="", size=3) == paging.Page(rows=[], previous="", next="")


def test_around_a_row():
    first, second, third = make_people("abc")
    before, after = paging.around(phases(), at=(0, ("b", second.pk)))
    assert (before.pk, after.pk) == (first.pk, third.pk)
    assert paging.around(phases(), at=(0, ("a", first.pk)))[0] is None


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "////",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(json.dumps([0, 9, "a", 1]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps([0, 0, "a", "one"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps({"a": 1}).encode()).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_cursor_that_cannot_be_read_gives_the_first_page(cursor):
    first, *_ = make_people("abc")
    assert ids(paging.page(phases(), cursor=cursor, size=1)) == [first.pk]
