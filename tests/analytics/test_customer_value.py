"""A customer's value and chances night by night."""

from datetime import date, timedelta

import pytest
from django.db import connection

from analytics.selectors import customer_value
from tests import desk as nights
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db
AS_OF = nights.AS_OF
HX = {"HX-Request": "true"}


def ago(days):
    return AS_OF - timedelta(days=days)


@pytest.fixture
def anna(db):
    return make_customer(name="Anna")


@pytest.fixture
def two_nights(anna):
    row = {"clv_low_cents": 5_000, "clv_high_cents": 40_000}
    nights.make_night(nights.score(anna, clv_cents=10_000, **row), as_of=ago(30), is_current=False)
    return nights.make_night(nights.score(anna, p_alive=0.5, churn_risk=0.8, **row))


def test_it_works(desk, anna, two_nights):
    page = desk.get(f"/customers/{anna.pk}/value/", headers=HX).content.decode()
    assert page.count('class="plot"') == 2
    assert "31 Mar 2026: $200 ($50 to $400)" in page
    assert "1 Mar 2026: $100 ($50 to $400)" in page
    assert "31 Mar 2026: risk 80%" in page
    assert page.count("<tr>") == 3
    assert "<html" not in page


def test_without_script_it_is_a_page(desk, anna, two_nights):
    page = desk.get(f"/customers/{anna.pk}/value/").content.decode()
    assert "<html" in page
    assert f'href="/customers/{anna.pk}/"' in page


def test_her_page_asks_for_it(desk, anna, two_nights):
    assert f'hx-get="/customers/{anna.pk}/value/"' in desk.get(f"/customers/{anna.pk}/").content.decode()


def test_nights_from_before_her_first_order_say_nothing(anna, two_nights):
    assert len(customer_value.course(anna.pk)) == 2
    assert customer_value.course(make_customer().pk) == []


def test_a_night_on_which_every_order_had_come_back_is_a_gap(desk, anna):
    nights.make_night(nights.score(anna), as_of=ago(2), is_current=False)
    nights.make_night(nights.score_of_nobody(anna), as_of=ago(1), is_current=False)
    nights.make_night(nights.score(anna))
    points = customer_value.course(anna.pk)
    assert [point.clv_cents for point in points] == [20_000, None, 20_000]
    assert desk.get(f"/customers/{anna.pk}/value/").content.decode().count('class="pl-path') == 6


def test_the_newest_revision_of_a_date(anna):
    nights.make_night(nights.score(anna, clv_cents=1), as_of=ago(1), is_current=False)
    nights.make_night(nights.score(anna, clv_cents=2), as_of=ago(1), is_current=False, revision=2)
    nights.make_night(nights.score(anna, clv_cents=3))
    assert [point.clv_cents for point in customer_value.course(anna.pk)] == [2, 3]


@pytest.mark.parametrize("count", [0, 1])
def test_one_night_is_no_history(desk, anna, count):
    for _ in range(count):
        nights.make_night(nights.score(anna))
    page = desk.get(f"/customers/{anna.pk}/value/").content.decode()
    assert "One night is no history yet." in page


def test_nobody(desk, db):
    assert desk.get("/customers/99999/value/").status_code == 404


def test_a_currency_without_decimals(admin, anna, two_nights):
    make_business(currency="JPY")
    assert "¥20,000 (¥5,000 to ¥40,000)" in admin.get(f"/customers/{anna.pk}/value/").content.decode()


def test_many_nights_are_chosen_evenly():
    daily = {number: date(2026, 1, 1) + timedelta(days=number) for number in range(100)}
    found = list(customer_value.chosen(daily, most=4))
    assert found == [0, 33, 66, 99]


def test_dense_nights_of_late_do_not_crowd_out_the_rest():
    """Month ends of two years, then 35 days."""
    months = {number: date(2024 + number // 12, number % 12 + 1, 28) for number in range(24)}
    lately = {100 + number: date(2026, 1, 1) + timedelta(days=number) for number in range(35)}
    found = customer_value.chosen(months | lately)
    assert len(found) <= customer_value.MOST_NIGHTS
    assert sum(number < 100 for number in found) >= 20
    assert list(found)[-1] == 134
    assert list(found.values()) == sorted(found.values())


def test_only_the_chosen_nights_are_read_each_by_its_key(anna, two_nights):
    runs = ", ".join(str(number) for number in (two_nights.pk, two_nights.pk - 1))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT * FROM analytics_score WHERE customer_id = {anna.pk} AND run_id IN ({runs})")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("Index Scan") == 2
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("more", [0, 30])
def test_queries(desk, anna, two_nights, more, django_assert_num_queries):
    for back in range(more):
        nights.make_night(nights.score(anna), as_of=ago(2 + back), is_current=False, revision=7)
    # session, user, business; customer; tables of scores, nights, scores
    with django_assert_num_queries(7):
        desk.get(f"/customers/{anna.pk}/value/", headers=HX)
