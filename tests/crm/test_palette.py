"""Hits of the search box and the palette."""

import pytest

from customers.services import search
from tests.desk import make_night, score
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


@pytest.fixture
def nina():
    customer = make_customer(name="Nina Tánaka")
    search.refresh(customer_ids=[customer.pk])
    make_night(score(customer))
    return customer


def hits(desk, **query):
    return desk.get("/search/", query, headers=HX).content.decode()


def test_it_works(desk, nina):
    page = hits(desk, q="tanaka")
    assert f"/customers/{nina.pk}/" in page
    assert "Champions" in page
    assert "Pages" not in page


def test_the_palette_has_pages(desk, nina):
    page = hits(desk, q="", pages="1")
    assert "All customers" in page
    assert "Segment: New" not in page
    assert "Segment: New" in hits(desk, q="new", pages="1")
    assert 'href="/value/"' in hits(desk, q="value", pages="1")


def test_no_text_finds_nobody(desk, nina):
    assert "hit" not in hits(desk, q="  ")


def test_nothing_found_says_so_and_escapes(desk, nina):
    assert "Nothing found for “&lt;b&gt;”" in hits(desk, q="<b>")


def test_at_most_six(desk):
    for number in range(9):
        search.refresh(customer_ids=[make_customer(name=f"Twin {number}").pk])
    assert hits(desk, q="twin").count('class="hit"') == 6


def test_without_htmx_it_is_the_list(desk):
    assert desk.get("/search/", {"q": "a b"}).url == "/customers/?q=a+b"


def test_queries(desk, nina, django_assert_num_queries):
    with django_assert_num_queries(8):
        hits(desk, q="nina", pages="1")
