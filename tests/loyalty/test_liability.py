"""The page of liability: parts of a period, what time has decided, rates, export, the postings behind a figure."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
from django.utils import timezone

from core import business
from core.models import Role, User
from customers.models import Product
from loyalty.models import LotMonth, Posting, Redemption
from loyalty.selectors import breakage, liability
from loyalty.selectors import programme as programmes
from loyalty.services import points, tallying
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import DAY, HOUR, NOW, account
from tests.loyalty.rewards import make_member, make_programme, make_reward, redeem

PAGE, EXPORT, POSTINGS = "/loyalty/liability/", "/loyalty/liability/export/", "/loyalty/postings/"


def course(*, at=NOW, days=30, unit="day"):
    now = liability.book(business=business.current(), at=at)
    return liability.course(now, first=at.date() - timedelta(days=days - 1), last=at.date(), unit=unit)


def rates(at=NOW, held=0):
    return breakage.rates(programme=programmes.current(), business=business.current(), at=at, held=held)


class TestPeriods:
    def test_parts_are_cut_off_at_the_ends(self):
        first, last = date(2026, 1, 30), date(2026, 3, 2)
        assert liability.spans(first, last, "month") == [
            (first, date(2026, 1, 31)),
            (date(2026, 2, 1), date(2026, 2, 28)),
            (date(2026, 3, 1), last),
        ]
        weeks = liability.spans(first, last, "week")
        assert weeks[0] == (first, date(2026, 2, 1))  # a Friday to Sunday
        assert weeks[-1] == (last, last)  # a Monday
        assert len(liability.spans(first, last, "day")) == 32

    def test_a_period_that_is_too_long_for_its_parts_gets_larger_ones(self):
        first = date(2020, 1, 1)
        assert liability.unit_for(first, date(2020, 1, 30), "day") == "day"
        assert liability.unit_for(first, date(2021, 1, 1), "day") == "week"
        assert liability.unit_for(first, date(2040, 1, 1), "week") == "month"
        assert liability.unit_for(first, date(2020, 3, 30), "year") == "day"


@pytest.mark.django_db
class TestFigures:
    def test_opening_and_what_came_and_went_make_the_closing(self):
        customer = make_customer()
        points.earn(customer_id=customer.pk, points=100, key="long ago", at=NOW - 90 * DAY)
        points.redeem(customer_id=customer.pk, points=30, key="spent", at=NOW - 2 * DAY)
        points.earn(customer_id=customer.pk, points=5, key="now", at=NOW, active_at=NOW + DAY)
        told = course()
        assert (told.opening.net, told.change.net, told.closing.net) == (100, -25, 75)
        assert [one.after.net for one in told.buckets] == [100] * 27 + [70, 70, 75]
        assert (told.closing.active, told.closing.pending) == (70, 5)

    def test_what_is_posted_late_counts_for_its_own_day(self):
        customer = make_customer()
        points.earn(customer_id=customer.pk, points=100, key="today", at=NOW)
        points.earn(customer_id=customer.pk, points=7, key="late", at=NOW - 20 * DAY)
        told = course()
        assert [one.change.flows["earned"] for one in told.buckets if one.change.flows["earned"]] == [7, 100]
        assert told.buckets[-2].after.net == 7

    def test_days_are_those_of_the_business(self):
        make_business(time_zone="Asia/Tokyo")
        points.earn(customer_id=make_customer().pk, points=5, key="late", at=NOW.replace(hour=23))
        assert liability.first_day(liability.book(business=business.current(), at=NOW)) == NOW.date() + timedelta(1)

    def test_what_time_has_decided_is_told_before_anybody_posts_it(self):
        ada, bob, eve = (make_customer() for _ in range(3))
        points.earn(customer_id=ada.pk, points=100, key="a", at=NOW - 9 * DAY, active_at=NOW - DAY)
        points.earn(customer_id=ada.pk, points=40, key="ends", at=NOW - 9 * DAY, expires_at=NOW - 2 * DAY)
        earned = points.earn(customer_id=bob.pk, points=30, key="b", at=NOW - 8 * DAY)
        points.redeem(customer_id=bob.pk, points=30, key="all", at=NOW - 7 * DAY)
        points.reverse(posting_id=earned.pk, points=30, key="owes", at=NOW - 6 * DAY, policy="allow_negative")
        points.earn(customer_id=bob.pk, points=20, key="pays", at=NOW - 5 * DAY, active_at=NOW - DAY)
        points.earn(customer_id=eve.pk, points=60, key="e", at=NOW - 9 * DAY)
        points.hold(customer_id=eve.pk, points=50, key="hold", at=NOW - DAY, until=NOW - HOUR)
        before, expected = course(), (160, 0, 0, 10, -40)
        for customer in (ada, bob, eve):
            points.settle(customer_id=customer.pk, at=NOW)
        for told in (before, course()):
            closing = told.closing
            found = (closing.active, closing.pending, closing.held, closing.owed, closing.flows["expired"])
            assert found == expected
        assert [one.change for one in before.buckets] == [one.change for one in course().buckets]

    def test_too_many_new_postings_are_left_to_the_sums(self, monkeypatch):
        monkeypatch.setattr(liability, "MOST_NEWER", 0)
        make_member(100)
        told = liability.book(business=business.current(), at=NOW)
        assert (told.rows, told.as_of) == ([], NOW)


@pytest.mark.django_db
class TestRates:
    def test_without_anything_known_every_point_costs_what_it_is_worth(self):
        make_programme(worth_cents=100)
        told = rates()
        assert (told.estimate.share, told.measured_cents, told.cents(1_000)) == (None, None, 1_000)

    def test_breakage_takes_its_share_off(self):
        """Of earlier points a half was kept to their end."""
        make_programme(worth_cents=200)
        for months_ago in (1, 2, 3):
            month = date(2026, 3 - months_ago, 1) if months_ago < 3 else date(2025, 12, 1)
            LotMonth.objects.create(active_month=month, month=month, came=100, redeemed=50, expired=50)
        make_member(1_000, at=NOW + 30 * DAY, expires_at=NOW + HOUR)
        tallying.look(business=business.current(), at=NOW.replace(day=1))
        told = rates(held=1_000)
        assert told.estimate.share == pytest.approx(0.25)  # points on hold will not expire
        assert told.cents(1_000) == 1_500
        assert (told.ahead[0].points, told.ahead[0].expected) == (1_000, pytest.approx(500))
        assert (told.fates.redeemed, told.fates.expired) == (150, 150)

    def test_cost_is_measured_where_it_is_known(self):
        """300 points took 4.00 off, a mug for 100 cost 2.50; what a code costs nobody knows."""
        make_programme(worth_cents=100)
        customer = make_member(2_000)
        mug = make_reward(product=Product.objects.create(sku="MUG", name="Mug", unit_cost="2.50"))
        redeem(customer, make_reward(kind="money", money_off_cents=400, cost_points=300))
        redeem(customer, mug)
        redeem(customer, make_reward(kind="trial", trial_days=30, cost_points=600))
        cancelled = redeem(customer, mug)
        Redemption.objects.filter(pk=cancelled.pk).update(state="cancelled")
        tallying.look(business=business.current(), at=NOW)
        told = rates()
        assert told.measured_cents == pytest.approx(650 / 4)
        assert (told.spent_points, told.costed_share) == (1_000, pytest.approx(0.4))

    def test_a_currency_without_decimals(self):
        make_business(currency="JPY")
        make_programme(worth_cents=100)
        customer = make_member(2_000)
        redeem(customer, make_reward(product=Product.objects.create(sku="MUG", name="Mug", unit_cost="250")))
        tallying.look(business=business.current(), at=NOW)
        assert rates().measured_cents == pytest.approx(250)


def sign_in(client, **fields):
    make_business(currency="EUR", time_zone="Europe/Berlin")
    client.force_login(User.objects.create(email="v@example.com", **{"role": Role.VIEWER} | fields))


@pytest.mark.django_db
class TestPages:
    def test_an_empty_programme_says_what_will_be_here(self, client):
        sign_in(client)
        page = client.get(PAGE).content.decode()
        assert "No points yet" in page
        assert EXPORT not in page

    def test_figures_and_postings_behind_them(self, client, django_assert_max_num_queries):
        sign_in(client)
        make_programme(worth_cents=100)
        today = timezone.now()
        customer = make_member(120_000, at=today, name="Ada")
        points.redeem(customer_id=customer.pk, points=20_000, key="r", at=today)
        with django_assert_max_num_queries(25):
            page = client.get(PAGE).content.decode()
        assert "€1k" in page  # 100,000 points at 1.00 for 100
        assert "−20,000" in page
        day = today.astimezone(business.current().zone).date().isoformat()
        rows = client.get(POSTINGS, {"from": day, "to": day, "kind": "redeemed"}).content.decode()
        assert "Ada" in rows
        assert rows.count("<tr>") == 2

    def test_every_period_and_unit_and_what_is_none(self, client):
        sign_in(client)
        make_programme(opened_at=None)
        make_member(100)
        for asked in ({"days": "30"}, {"days": "365", "unit": "day"}, {"days": "0"}, {"days": "x", "unit": "x"}):
            answer = client.get(PAGE, asked)
            assert answer.status_code == 200
            assert "The programme is switched off" in answer.content.decode()

    def test_postings_of_no_days_are_none(self, client):
        sign_in(client)
        customer = make_member(100)
        for asked in ({}, {"from": "9999-12-31", "to": "2026-99-99"}, {"from": "0001-01-01"}, {"cursor": "x"}):
            assert "No points moved" in client.get(POSTINGS, asked).content.decode()
        assert account(customer).balance == 100

    def test_postings_have_pages(self, client):
        sign_in(client)
        customer = make_customer()
        for number in range(60):
            points.earn(customer_id=customer.pk, points=1, key=f"k{number}", at=NOW + number * HOUR / 60)
        day = NOW.date().isoformat()
        first = client.get(POSTINGS, {"from": day, "to": day})
        second = client.get(POSTINGS, {"from": day, "to": day, "cursor": first.context["listing"].next})
        shown = [one.pk for page in (first, second) for one in page.context["rows"]]
        assert shown == list(Posting.objects.order_by("-at").values_list("pk", flat=True))

    def test_the_export_has_a_line_for_each_day_and_adds_up(self, client):
        sign_in(client, may_export=True)
        make_programme(worth_cents=100)
        make_member(500, at=timezone.now() + 28 * DAY)
        lines = list(csv.DictReader(StringIO(client.get(EXPORT, {"days": "30"}).getvalue().decode("utf-8-sig"))))
        assert len(lines) == 30
        assert sum(int(line["earned"]) for line in lines) == 500
        assert (lines[-1]["outstanding"], lines[-1]["liability"], lines[-1]["cost_of_100_points"]) == (
            "500",
            "5.00",
            "1.00",
        )

    def test_only_exporters_take_it_out(self, client):
        sign_in(client)
        make_member(500)
        assert client.get(EXPORT).status_code == 403
        assert EXPORT not in client.get(PAGE).content.decode()
