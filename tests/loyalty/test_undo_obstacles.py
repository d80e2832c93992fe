"""What stands in the way of taking an import back, as sentences that can be said in other languages."""

import string

import pytest
from django.db import connection

from core import retelling
from customers.models import Customer
from customers.services import obstacles
from customers.services.obstacles import OBSTACLES
from loyalty import undone
from loyalty.models import Posting
from tests.factories import make_customer
from tests.loyalty.rewards import make_member, make_programme

PARAMS = {"batch": 1, "started_at": "2026-01-01", "zone": "UTC"}
EVERY = (*OBSTACLES, *undone.OBSTACLES)

pytestmark = pytest.mark.django_db


def rows_of_an_import(*customers):
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TEMP TABLE undone ("table" text, id bigint, created boolean, before jsonb) ON COMMIT DROP'
        )
        cursor.executemany("INSERT INTO undone VALUES ('customer', %s, true, NULL)", [(one.pk,) for one in customers])


def names_in(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_each_query_gives_what_its_sentences_say():
    rows_of_an_import()
    for obstacle in EVERY:
        texts = [obstacle.sentences] if isinstance(obstacle.sentences, str) else obstacle.sentences.values()
        with connection.cursor() as cursor:
            cursor.execute(obstacle.query, PARAMS)
            columns = {column.name for column in cursor.description}
        assert all(names_in(text) <= columns for text in texts), texts
        assert isinstance(obstacle.sentences, str) or "what" in columns


def test_the_name_of_points_is_the_shops():
    make_programme(point_name="star", points_name="stars")
    ada = make_member(5, name="Ada {curly} 100%")
    rows_of_an_import(ada)
    assert obstacles.first(EVERY, PARAMS) == "customer Ada {curly} 100% has stars for more than orders"


def test_postings_are_not_read_one_after_another():
    """Also where there are many more than the import has customers."""
    make_programme()
    members = [make_member(5) for _ in range(300)]
    Customer.objects.filter(pk__in=[one.pk for one in members]).update(name="")
    rows_of_an_import(make_customer(), *members[:2])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE loyalty_posting, loyalty_account; ANALYZE undone")
        cursor.execute(f"EXPLAIN {undone.NOT_BY_ORDERS.query}", PARAMS)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "points_earned_by_time" in plan
    assert "Seq Scan on loyalty_posting" not in plan
    assert Posting.objects.count() == 300


def test_a_sentence_in_another_language(monkeypatch):
    """Its parts, the kind of row among them, are found in the catalogue's patterns."""
    found = {
        "Import {number} cannot be taken back: {reason}.": "Import {number} bleibt: {reason}.",
        "{kind} {name} was changed by import {number}": "{kind} {name} hat Import {number} geändert",
        "customer {customer} has redeemed {points}": "{customer} hat {points} eingelöst",
        "product": "Produkt",
        "points": "Punkte",
    }
    monkeypatch.setattr(retelling, "gettext", lambda text: found.get(text, text))
    shapes = [(text, retelling._shape(text)) for text in found if "{" in text]
    monkeypatch.setattr(retelling, "patterns", lambda language: shapes)
    monkeypatch.setattr(retelling, "get_language", lambda: "de")
    told = retelling.retold("Import 7 cannot be taken back: product MUG 1 was changed by import 9.")
    assert told == "Import 7 bleibt: Produkt MUG 1 hat Import 9 geändert."
    told = retelling.retold("Import 7 cannot be taken back: customer Ann has redeemed points.")
    assert told == "Import 7 bleibt: Ann hat Punkte eingelöst."
