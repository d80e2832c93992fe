"""A customer's points on staff pages: lots, postings with running balance, holds, the panel, the file."""

import csv
from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Role, User
from loyalty.models import Hold, Redemption
from loyalty.services import adjustments, merging, points
from tests.factories import make_business, make_order
from tests.loyalty.rewards import DAY, balance, hold, make_member, make_programme, make_reward, make_tier, redeem

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def agent(client, db):
    make_business(currency="EUR")
    make_programme(worth_cents=100)
    user = User.objects.create(email="agent@example.com", role=Role.AGENT, name="Avery")
    client.force_login(user)
    return client


@pytest.fixture
def member(now):
    """100 until in ten days and 50 for ever; 120 spent: 100 out of the first, 20 out of the second; 25 by hand."""
    customer = make_member(100, at=now, expires_at=now + 10 * DAY, name="Ada")
    order = make_order(customer=customer, external_id="81")
    facts = {"customer_id": customer.pk, "at": now, "key": "earn:order:81", "order_id": order.pk}
    points.earn(points=50, active_at=now - DAY, **facts)
    redeem(customer, make_reward(name="Mug", cost_points=120), at=now)
    by = User.objects.get(email="agent@example.com")
    adjustments.adjust(customer_id=customer.pk, points=25, key="hand", at=now, reason="=Sorry, Ada", by=by.pk)
    return customer


def text(response):
    return " ".join(response.content.decode().split())


def page_of(agent, customer, query=""):
    return agent.get(f"/loyalty/customers/{customer.pk}/points/{query}")


def rows_of(agent, customer, query=""):
    """(kind, points, balance, [(points, lot)]) of each posting on the page."""
    return [
        (row.posting.kind, row.posting.points, row.balance, [(part.points, part.lot_id) for part in row.parts])
        for row in page_of(agent, customer, query).context["rows"]
    ]


def test_lots_and_postings_add_up(agent, member, django_assert_max_num_queries):
    page = page_of(agent, member, "?lots=all")
    first, second, third = sorted(row.lot.pk for row in page.context["lots"])
    assert rows_of(agent, member) == [
        ("adjust", 25, 55, []),
        ("redeem", -120, 30, [(100, first), (20, second)]),
        ("earn", 50, 150, []),
        ("earn", 100, 100, []),
    ]
    assert {row.lot.pk: row.left for row in page.context["lots"]} == {first: 0, second: 30, third: 25}
    assert balance(member) == 55
    for words in ("Mug", "Order 81", "=Sorry, Ada", "Avery", "€0.55", "100 out of"):
        assert words in text(page)
    with django_assert_max_num_queries(26):
        page_of(agent, member)


def test_a_filter_leaves_the_balance_as_it_was(agent, member):
    assert [(kind, after) for kind, _, after, _ in rows_of(agent, member, "?only=spent")] == [("redeem", 30)]
    assert len(rows_of(agent, member, "?only=nonsense&page=99")) == 4


def test_the_file_has_all_of_it(agent, member):
    address = f"/loyalty/customers/{member.pk}/points/export/"
    assert agent.get(address).status_code == 403
    User.objects.update(may_export=True)
    agent.force_login(User.objects.get())
    lines = list(csv.DictReader(agent.get(address).getvalue().decode("utf-8-sig").splitlines()))
    assert [(line["points"], line["balance"]) for line in lines] == [
        ("100", "100"), ("50", "150"), ("-120", "30"), ("25", "55"),
    ]  # fmt: skip
    assert (lines[1]["order"], lines[3]["reason"], lines[3]["by"]) == ("81", "'=Sorry, Ada", "Avery")
    assert sum(int(pair.partition(":")[2]) for pair in lines[2]["lots"].split()) == 120


def test_a_hold_is_released_with_what_it_had_taken(agent, member, now):
    reward = make_reward(stock=1, cost_points=40)
    held = hold(member, reward, at=now)
    bare = points.hold(customer_id=member.pk, points=10, key="bare", at=now, until=now + DAY)
    assert balance(member) == 5
    page = page_of(agent, member)
    assert [row.redemption for row in page.context["holds"]] == [held, None]

    for number in (held.hold_id, bare.pk):
        assert "Released" in text(agent.post(f"/loyalty/holds/{number}/release/", follow=True))
    reward.refresh_from_db()
    assert (balance(member), reward.stock, Redemption.objects.get(pk=held.pk).state) == (55, 1, "released")
    assert not Hold.objects.filter(state="open").exists()

    committed = points.hold(customer_id=member.pk, points=10, key="more", at=now, until=now + DAY)
    points.commit(hold_id=committed.pk, at=now, key="done")
    assert "This hold is over" in text(agent.post(f"/loyalty/holds/{committed.pk}/release/", follow=True))
    assert balance(member) == 45


def test_the_panel_says_what_is_and_what_comes(agent, member, now, django_assert_max_num_queries):
    make_tier(1, name="Silver tier", threshold=1_000)
    soon = now + 5 * DAY
    for key, number in (("soon", 40), ("too", 30)):
        points.earn(customer_id=member.pk, points=number, key=key, at=now, active_at=soon, expires_at=now + 400 * DAY)
    asked = {"points": 9_000, "key": "wait", "at": now, "reason": "A long story"}
    adjustments.adjust(customer_id=member.pk, **asked)
    with django_assert_max_num_queries(30):
        page = agent.get(f"/loyalty/customers/{member.pk}/points/panel/", headers={"HX-Request": "true"})
    told = page.context["panel"]
    assert (told.points.balance, told.points.pending, told.worth_cents) == (55, 70, 55)
    assert told.coming == [(soon.date(), 70)]
    assert "+9,000 by hand, waits for a second person" in text(page)
    assert "Mug" in text(page)
    assert "more for Silver tier" in text(page)
    latest = agent.get(f"/loyalty/customers/{member.pk}/points/latest/", headers={"HX-Request": "true"})
    assert [row.balance for row in latest.context["rows"]] == [55, 30, 150, 100]


def test_a_tier_for_everybody_needs_an_order_and_not_nothing(agent, now):
    make_tier(1, name="Bronze", threshold=0)
    path = f"/loyalty/customers/{make_member(0, at=now).pk}/points/panel/"
    told = text(agent.get(path, headers={"HX-Request": "true"}))
    assert "The first order brings Bronze." in told
    assert "more for Bronze" not in told


def test_both_are_the_whole_page_without_htmx(agent, member):
    for part in ("panel", "latest"):
        assert agent.get(f"/loyalty/customers/{member.pk}/points/{part}/").url.endswith("/points/")


def test_a_merged_account_keeps_both_histories(agent, member, now):
    other = make_member(40, at=now)
    merging.merge(into=member.pk, other=other.pk, key="merge", at=now)
    rows = rows_of(agent, member)
    assert (rows[0][2], balance(member)) == (95, 95)
    assert {kind for kind, *_ in rows} == {"earn", "redeem", "adjust", "merge"}
    assert page_of(agent, other).context["now"].balance == 95


def test_nothing_yet(agent):
    assert "No points yet" in text(page_of(agent, make_member(0)))


def test_a_debt_is_said(agent, now):
    customer = make_member(0)
    earned = points.earn(customer_id=customer.pk, points=80, key="e", at=now)
    points.redeem(customer_id=customer.pk, points=80, key="r", at=now)
    points.reverse(posting_id=earned.pk, points=30, key="b", at=now + timedelta(seconds=1), policy="allow_negative")
    panel = agent.get(f"/loyalty/customers/{customer.pk}/points/panel/", headers={"HX-Request": "true"})
    assert "A refund took back more than there was" in text(panel)
    assert "-30" in text(panel).replace("\N{MINUS SIGN}", "-")
