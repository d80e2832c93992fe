"""A shop's cells in the database: found from baskets, told by SQL, and the scores that they make."""

from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connection

from analytics.clv import cells
from analytics.clv.cells import Kind
from analytics.clv.fitted import Fitted
from analytics.models import Basket, Score
from analytics.selectors import risk_parts
from analytics.services import baskets, customer_cells
from core.models import Run
from crm.selectors import customer as customer_page
from customers.models import Category, Company
from tests import nights
from tests.factories import make_customer, make_many, make_order, make_product

AS_OF = date(2026, 3, 31)
FEW = 100  # customers of a cell, here


@pytest.fixture(autouse=True)
def small_cells(monkeypatch):
    monkeypatch.setattr(cells, "FEWEST", FEW)


def days_of(chance, *, gap, leaves):
    """A customer's order days within the last 400 days: a pace in days, and her chance to leave at an order."""
    first = AS_OF - timedelta(days=int(chance.integers(60, 400)))
    days = [first]
    while chance.random() > leaves and days[-1] <= AS_OF:
        days.append(days[-1] + timedelta(days=1 + int(chance.exponential(gap))))
    return [day for day in days if day <= AS_OF]


def make_two_channels(customers=250):
    """Those who came by mail come back often and stay, those by search seldom."""
    chance = np.random.default_rng(3)
    by_mail = [days_of(chance, gap=chance.gamma(2, 10), leaves=0.05) for _ in range(customers)]
    by_search = [days_of(chance, gap=chance.gamma(2, 60), leaves=0.5) for _ in range(customers)]
    return make_many(by_mail, channel="Mail"), make_many(by_search, channel="Search")


def make_basket(pk, channel="", category=None):
    Basket.objects.create(
        customer_id=pk,
        first_on=AS_OF,
        first_channel=channel,
        first_category_id=category,
        gross_cents=0,
        discount_cents=0,
    )


def run_with(*kinds):
    return Run(model={"cells": [kind._asdict() | {"name": ""} for kind in kinds]})


def told(run):
    """The cell of every basket."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, {customer_cells.expression(run).replace('%', '%%')} FROM analytics_basket k", []
        )
        return dict(cursor.fetchall())


@pytest.mark.django_db
def test_cells_are_found_from_baskets():
    tea = Category.objects.create(name="Tea")
    for pk in range(1, 251):
        make_basket(pk, "Mail" if pk <= 150 else "Search", tea.pk if pk % 2 else None)

    found = customer_cells.find(Run(model={}, is_past=False))

    assert found == [
        {"channel": "Mail", "category": None, "company": None, "name": ""},
        {"channel": "Search", "category": None, "company": None, "name": ""},
    ]


@pytest.mark.django_db
def test_a_category_is_named_and_a_company_told_apart():
    tea, firm = Category.objects.create(name="Tea"), Company.objects.create(name="Firm", source="shop", external_id="f")
    for place in range(400):
        person = make_customer(company=firm if place % 4 == 0 else None)
        make_basket(person.pk, "", tea.pk if place % 2 else None)

    found = customer_cells.find(Run(model={}, is_past=False))

    assert [(one["category"], one["company"], one["name"]) for one in found] == [
        (tea.pk, False, "Tea"),
        (0, False, ""),
        (0, True, ""),
    ]


@pytest.mark.django_db
def test_sql_says_the_same_as_the_engine():
    """Quotes, per cents and a category that is gone are values like others."""
    odd = ["it's 10 %", "", "a\\b", "Mail"]
    firm = Company.objects.create(name="Firm", source="shop", external_id="f")
    kinds = {}
    for channel in odd:
        for category in (7, 99, None):
            for company in (firm, None):
                person = make_customer(company=company)
                make_basket(person.pk, channel, category)
                kinds[person.pk] = Kind(channel, category or 0, company is not None)
    for used in (
        (Kind("it's 10 %", 99, True), Kind("", 0, False), Kind("a\\b", 7, False)),
        (Kind("Mail", None, None), Kind("it's 10 %", None, None)),
        (Kind(None, 7, None), Kind(None, 0, None)),
        (Kind(None, None, True), Kind(None, None, False)),
    ):
        run = run_with(*used)
        expected = dict(zip(kinds, cells.number(list(kinds.values()), used).tolist(), strict=True))

        assert told(run) == expected
        assert {pk: customer_cells.of_customer(run, pk) for pk in kinds} == expected
    assert set(expected.values()) == {1, 2}


@pytest.mark.django_db
def test_a_run_without_cells_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert customer_cells.of_customer(Run(model={}), 1) == 0


@pytest.mark.django_db
def test_a_customer_without_a_basket_is_the_rest():
    assert customer_cells.of_customer(run_with(Kind("Mail", None, None)), 5) == 0


@pytest.mark.django_db
def test_openings_are_those_of_the_day():
    """What stood at the end of March; a first order that came back later does not count from then on."""
    tea = Category.objects.create(name="Tea")
    early, late = make_customer(), make_customer()
    product = make_product(category=tea)
    first = make_order(customer=early, day=AS_OF - timedelta(days=9), channel="Mail", fully_refunded_on=AS_OF)
    first.lines.update(product=product)
    make_order(customer=early, day=AS_OF - timedelta(days=5), channel="Search").lines.update(product=make_product())
    make_order(customer=late, day=AS_OF + timedelta(days=1), channel="Mail")
    ids = np.array([early.pk, late.pk])

    assert baskets.openings(ids, as_of=AS_OF - timedelta(days=1)) == {early.pk: ("Mail", tea.pk)}
    assert baskets.openings(ids, as_of=AS_OF) == {early.pk: ("Search", 0)}


@pytest.mark.django_db
def test_a_log_has_its_cells():
    mail = make_many([[AS_OF]] * 120, channel="Mail")
    search = make_many([[AS_OF]] * 110, channel="Search")
    other = make_many([[AS_OF]] * 20, channel="Fair")
    ids = np.array([person.pk for person in (*mail, *search, *other)])

    found = customer_cells.of_log(ids, as_of=AS_OF)

    assert np.bincount(found).tolist() == [20, 120, 110]
    assert found[0] == 1


@pytest.mark.django_db
def test_a_sample_has_cells_in_proportion():
    """25 of 50 are as good as 100 of 200."""
    people = [*make_many([[AS_OF]] * 100, channel="Mail"), *make_many([[AS_OF]] * 100, channel="Search")]
    ids = np.array(sorted(person.pk for person in people[::4]))

    found = customer_cells.of_log(ids, as_of=AS_OF)

    assert np.bincount(found).tolist() == [0, 25, 25]


@pytest.mark.django_db(transaction=True)
def test_a_night_scores_by_cell():
    by_mail, by_search = make_two_channels()

    run = nights.pass_night(AS_OF)
    fitted = Fitted.from_dict(run.model["fitted"])

    assert fitted.cells.reason == ""
    assert fitted.cells.customers == (0, 250, 250)
    _, mail, search = fitted.cells.params
    assert mail.r / mail.alpha > 2 * search.r / search.alpha
    assert mail.a / (mail.a + mail.b) < search.a / (search.a + search.b)
    scores = {score.customer_id: score for score in Score.objects.filter(run_id=run.pk)}
    orders = [sum(scores[one.pk].expected_orders for one in people) for people in (by_mail, by_search)]
    assert orders[0] > 3 * orders[1]


@pytest.mark.django_db(transaction=True)
def test_pages_say_what_the_scores_say():
    by_mail, by_search = make_two_channels()
    run = nights.pass_night(AS_OF)
    fitted = Fitted.from_dict(run.model["fitted"])
    assert len(fitted.each) == 3

    for person in (by_mail[0], by_search[0]):
        score = Score.objects.get(run_id=run.pk, customer_id=person.pk)
        alone = customer_page._history(score, run)
        parts = risk_parts.of(score, run)

        assert alone.cell.tolist() == [1 if person in by_mail else 2]
        if parts is not None:  # the shop's past told an average to compare with
            assert parts.risk == round(100 * score.churn_risk)


@pytest.mark.django_db(transaction=True)
def test_a_past_night_gives_the_same_rows():
    make_two_channels()
    now = nights.pass_night(AS_OF)
    make_many([[AS_OF + timedelta(days=1)]] * 50, channel="Fair")
    nights.pass_night(AS_OF + timedelta(days=1))

    again = nights.pass_night(AS_OF)

    assert again.is_past
    assert again.model["cells"] == now.model["cells"]
    assert again.model["fitted"] == now.model["fitted"]
    assert nights.score_rows(again) == nights.score_rows(now)


@pytest.mark.django_db(transaction=True)
def test_a_category_that_disappears_leaves_its_customers_with_the_others():
    """Cups are sold to quick buyers, then the category is deleted: the next night knows one kind of customers."""
    cups = Category.objects.create(name="Cups")
    chance = np.random.default_rng(3)
    product = make_product(category=cups)
    make_many([days_of(chance, gap=15, leaves=0.05) for _ in range(230)], product=product)
    make_many([days_of(chance, gap=90, leaves=0.5) for _ in range(220)], product=make_product())
    first = nights.pass_night(AS_OF)
    assert [one["name"] for one in first.model["cells"]] == ["Cups", ""]

    product.category = None
    product.save(update_fields=["category"])
    cups.delete()
    second = nights.pass_night(AS_OF + timedelta(days=1))

    assert second.model["cells"] == []
    assert Fitted.from_dict(second.model["fitted"]).cells.params == ()
    assert all(score.expected_orders > 0 for score in Score.objects.filter(run_id=second.pk))
    assert Fitted.from_dict(first.model["fitted"]).cells.params != ()
