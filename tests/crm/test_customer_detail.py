"""One customer: figures, reasons, the timeline and its pages."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from analytics.scores import Name
from crm.selectors import timeline as events
from customers.models import Company, Email, Identity, Phone
from loyalty.models import Move
from loyalty.services import adjustments, points
from tests.desk import AS_OF, make_night, score, score_of_nobody
from tests.factories import make_business, make_customer, make_order, make_refund, make_unmatched_return
from tests.loyalty.rewards import make_programme, make_tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    customer = make_customer(
        name="Ana Łuk", channel="newsletter", city="Cork", country="Ireland", source="shop", external_id="A-1",
        company=Company.objects.create(external_id="k", name="Bean Co"),
    )  # fmt: skip
    Email.objects.create(customer=customer, address="ana@example.com")
    Email.objects.create(customer=customer, address="ana@work.example")
    Phone.objects.create(customer=customer, number="+353209103734")
    Identity.objects.create(customer=customer, source="till", external_id="77")
    return customer


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def page_of(desk, customer, query=""):
    return desk.get(f"/customers/{customer.pk}/{query}")


def test_it_works(desk, ana):
    make_order(customer=ana, day=date(2026, 3, 1), value_cents=9_640, external_id="90417")
    make_night(score(ana, clv_cents=348_200, historic_cents=70_300, churn_risk=0.71, churn_band=3, last_age_days=58))
    text = text_of(page_of(desk, ana))
    for part in (
        "Ana Łuk", "ana@example.com", "ana@work.example", "+353209103734", "Bean Co", "Cork, Ireland", "A-1", "77",
        "Newsletter", "$3,482", "High 71%", "$703", "Order 90417, $96.40", "Why the risk is high", "MBG/NBD",
    ):  # fmt: skip
        assert part in text


def test_the_segment_before_is_told(desk, ana):
    make_night(score(ana, segment=Name.LOYAL, previous_segment=Name.NEW, segment_changed_on=date(2026, 2, 14)))
    assert "14 Feb 2026 (before: New)" in text_of(page_of(desk, ana))


def test_reasons_come_from_the_model_of_the_night(desk, ana):
    make_night(score(ana, last_age_days=58, usual_gap_days=31.0, orders=6, order_days=6, churn_risk=0.6, churn_band=2))
    text = text_of(page_of(desk, ana))
    assert "Usually every 31 days, now 58 days since the last order." in text
    assert "40 in 100 like this order within 90 days." in text


def test_a_customer_without_a_score_is_told_so(desk, ana):
    make_night(score(make_customer()))
    text = text_of(page_of(desk, ana))
    assert "The next night scores this customer" in text
    assert "No entry" in text


def test_a_customer_whose_orders_all_came_back_has_no_prediction(desk, ana):
    make_night(score_of_nobody(ana))
    assert "Every order was returned" in text_of(page_of(desk, ana))


def test_before_the_first_night(desk, ana):
    assert page_of(desk, ana).status_code == 200


def test_unknown_customers_are_not_found(desk):
    assert desk.get("/customers/999999/").status_code == 404


def test_what_people_typed_stays_text(desk):
    evil = make_customer(name='<script>alert("x")</script>', channel="<b>", city="<i>")
    page = page_of(desk, evil).content.decode()
    assert "<script>alert" not in page
    assert "<i>" not in page.replace('<i class="k', "")


class TestSpend:
    def test_orders_less_what_came_back_by_month(self, desk, ana):
        today = timezone.localdate()
        first = make_order(customer=ana, day=today, value_cents=10_000)
        make_refund(order=first, day=today, value_cents=3_000)
        make_unmatched_return(customer=ana, day=today, value_cents=1_000)
        make_order(customer=ana, day=today - timedelta(days=364), value_cents=500)
        make_order(customer=ana, day=today - timedelta(days=365), value_cents=70)
        make_order(customer=ana, day=today, value_cents=9, status="cancelled")
        found = page_of(desk, ana).context["spend"]
        assert found.year_cents == 6_500
        assert found.year_orders == 2
        assert found.months[-1] == (today.replace(day=1), 6_000)
        assert len(found.months) == 12

    def test_two_years(self, desk, ana):
        make_order(customer=ana, day=timezone.localdate() - timedelta(days=600), value_cents=4_200)
        assert sum(cents for _, cents in page_of(desk, ana, "?months=24").context["spend"].months) == 4_200
        assert page_of(desk, ana).context["spend"].is_empty

    def test_a_shop_without_spend_shows_no_chart(self, desk, ana):
        assert "Nothing in these 12 months" in text_of(page_of(desk, ana))


class TestTimeline:
    def entries(self, desk, customer, query=""):
        days = page_of(desk, customer, query).context["timeline"].days
        return [(day, event.kind) for day, found in days for event in found]

    def test_kinds_by_day_newest_first(self, desk, ana):
        order = make_order(customer=ana, day=date(2026, 3, 1))
        make_refund(order=order, day=date(2026, 3, 5), value_cents=100)
        make_unmatched_return(customer=ana, day=date(2026, 3, 3))
        make_order(customer=make_customer(), day=date(2026, 3, 4))
        assert self.entries(desk, ana) == [
            (date(2026, 3, 5), "refund"),
            (date(2026, 3, 3), "return"),
            (date(2026, 3, 1), "order"),
        ]

    @pytest.mark.parametrize(("kind", "count"), [("order", 1), ("refund", 1), ("return", 1), ("nonsense", 3)])
    def test_one_kind(self, desk, ana, kind, count):
        order = make_order(customer=ana)
        make_refund(order=order, value_cents=100)
        make_unmatched_return(customer=ana)
        assert len(self.entries(desk, ana, f"?type={kind}")) == count

    def test_every_entry_once_over_the_pages(self, desk, ana, monkeypatch):
        monkeypatch.setattr(events, "PAGE_EVENTS", 3)
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        for number in range(5):  # all at the same moment, so that only kind and id tell them apart
            order = make_order(customer=ana, day=at.date(), at=at, external_id=f"o-{number}")
            make_refund(order=order, day=at.date(), at=at, value_cents=100, external_id=f"r-{number}")
        found, query = [], ""
        for _ in range(9):
            line = page_of(desk, ana, query).context["timeline"]
            found += [event.title for _, shown in line.days for event in shown]
            if not line.earlier:
                break
            query = f"?before={line.earlier}"
        orders = [f"Order o-{n}" for n in range(5)]
        refunds = [f"Refund of order o-{n}" for n in range(5)]
        assert sorted(found) == sorted(orders + refunds)

    def test_a_day_that_goes_on_is_named_once(self, desk, ana, monkeypatch):
        monkeypatch.setattr(events, "PAGE_EVENTS", 1)
        make_order(customer=ana, day=date(2026, 3, 1))
        make_order(customer=ana, day=date(2026, 3, 1))
        cursor = page_of(desk, ana).context["timeline"].earlier
        part = desk.get(f"/customers/{ana.pk}/timeline/?before={cursor}")
        assert "Sunday 1 March 2026" in text_of(page_of(desk, ana))
        assert "Sunday 1 March 2026" not in text_of(part)
        assert "<html" not in part.content.decode()

    def test_days_are_those_of_the_business_s_zone(self, desk, ana):
        make_business(time_zone="Pacific/Auckland")
        make_order(customer=ana, day=date(2026, 3, 2), at=datetime(2026, 3, 1, 12, tzinfo=UTC))
        assert self.entries(desk, ana) == [(date(2026, 3, 2), "order")]
        assert "Monday 2 March 2026" in text_of(page_of(desk, ana))

    @pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "////"])
    def test_a_cursor_that_cannot_be_read_gives_the_newest(self, desk, ana, cursor):
        make_order(customer=ana)
        assert len(self.entries(desk, ana, f"?before={cursor}")) == 1

    def test_states_of_orders(self, desk, ana):
        make_refund(order=make_order(customer=ana))
        make_order(customer=ana, status="cancelled")
        text = text_of(page_of(desk, ana))
        assert "Returned in full" in text
        assert "Cancelled" in text


def test_some_names():
    assert events.name_some(["A"]) == "A"
    assert events.name_some(["A", "B", "A", "C", "D", "E"]) == "A · B · C and 2 more"


class TestNeighbours:
    def test_before_and_after_in_the_list(self, desk):
        people = [make_customer(name=f"C{n}") for n in range(3)]
        make_night(*(score(one, clv_cents=1_000 * n) for n, one in enumerate(people)))
        page = desk.get(f"/customers/{people[1].pk}/neighbours/?in=sort%3D-clv").content.decode()
        found = re.findall(r'rel="(\w+)"\s+href="/customers/(\d+)/\?in=sort%3D-clv"', page)
        assert found == [("prev", str(people[2].pk)), ("next", str(people[0].pk))]

    def test_an_end_has_one_neighbour(self, desk):
        only = make_customer()
        make_night(score(only))
        assert "href" not in desk.get(f"/customers/{only.pk}/neighbours/").content.decode()

    def test_who_is_not_in_the_list_has_none(self, desk):
        ana, bo = make_customer(), make_customer()
        make_night(score(ana), score(bo, churn_band=3))
        assert "href" not in desk.get(f"/customers/{ana.pk}/neighbours/?in=risk%3Dhigh").content.decode()


@pytest.mark.parametrize("orders", [1, 12])
def test_queries(desk, ana, orders, django_assert_num_queries):
    for number in range(orders):
        order = make_order(customer=ana, day=AS_OF - timedelta(days=number))
        make_refund(order=order, day=AS_OF, value_cents=100)
        make_unmatched_return(customer=ana)
    make_night(score(ana))
    # business, session, user; customer, e-mails, phones, identities; run, score, orders, profit, spend; tags, all tags,
    # memberships, categories;
    # timeline: keys, and for each kind on the page its rows and lines
    with django_assert_num_queries(23 if orders == 1 else 22):
        page_of(desk, ana)


class TestPoints:
    @pytest.fixture
    def member(self, ana):
        """An order with its points the same moment, a tier, and an adjustment the day after."""
        make_programme()
        order = make_order(customer=ana, day=date(2026, 3, 1), external_id="90417")
        facts = {"customer_id": ana.pk, "at": order.placed_at}
        points.earn(points=193, key="earn", order_id=order.pk, **facts)
        silver = make_tier(1, name="Silver tier")
        Move.objects.create(customer=ana, after=silver, at=order.placed_at, reason="reached", value=193)
        later = order.placed_at + timedelta(days=1)
        adjustments.adjust(customer_id=ana.pk, points=-3, key="hand", at=later, reason="Counted twice")
        return ana

    def test_they_are_entries_of_the_timeline(self, desk, member, django_assert_max_num_queries):
        with django_assert_max_num_queries(28):
            page = page_of(desk, member)
        titles = [event.title for _day, found in page.context["timeline"].days for event in found]
        assert titles == ["\N{MINUS SIGN}3 points", "Order 90417", "+193 points", "Tier Silver tier"]
        assert "Earned · Order 90417" in text_of(page)
        assert "Adjusted · Counted twice" in text_of(page)
        assert f"/loyalty/customers/{member.pk}/points/panel/" in page.content.decode()

    def test_pages_and_kinds(self, desk, member, monkeypatch):
        monkeypatch.setattr(events, "PAGE_EVENTS", 1)
        found, query = [], ""
        for _ in range(4):
            timeline = page_of(desk, member, query).context["timeline"]
            found += [event.kind for _day, own in timeline.days for event in own]
            query = f"?before={timeline.earlier}"
        assert found == ["points", "order", "points", "tier"]
        assert "Silver tier" in text_of(page_of(desk, member, "?type=tier"))

    def test_without_a_programme_nothing_is_said_of_them(self, desk, member):
        make_programme(opened_at=None)
        page = page_of(desk, member)
        assert "193 points" not in text_of(page)
        assert "/points/panel/" not in page.content.decode()
