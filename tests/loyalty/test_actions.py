"""Points for what customers do (loyalty.services.actions) and for entering a segment (loyalty.services.entering)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from customers.models import Membership, Phone, Segment
from loyalty.models import Act, Action, Posting, Redemption
from loyalty.services import actions, activity, entering, points, settling
from tests.factories import make_customer
from tests.loyalty.shop import NOW, OPENED, lots, make_rule, open_programme, totals

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def make_action(**fields):
    return Action.objects.create(**{"code": "profile", "name": "Profile filled in", "points": 50} | fields)


def act(customer, key="1", at=NOW, action="profile"):
    return actions.act(customer_id=customer.pk, action=action, key=key, at=at)


TOLD = {"name": "Ada", "birthday": "--12-10", "street": "1 Quay Road", "city": "Cork", "phone": "+4917012345"}


def fill_in(*, at=NOW, **fields):
    """What the profile of a customer with these facts brings."""
    told = TOLD | fields
    number = told.pop("phone")
    customer = make_customer(**told)
    if number:
        Phone.objects.create(customer=customer, number=number)
    return customer, actions.profile_filled(customer=customer, at=at)


class TestProfile:
    def test_a_complete_one_brings_points_once(self):
        make_action()
        open_programme()
        customer, posting = fill_in()
        assert posting.points == 50
        assert actions.profile_filled(customer=customer, at=NOW + DAY) is None
        assert totals(customer) == (50, 0)

    @pytest.mark.parametrize("missing", TOLD)
    def test_not_while_something_is_missing(self, missing):
        make_action()
        open_programme()
        assert fill_in(**{missing: ""})[1] is None

    @pytest.mark.parametrize("fields", [{"is_on": False}, {"code": "review"}])
    def test_not_without_such_an_action(self, fields):
        make_action(**fields)
        open_programme()
        assert fill_in()[1] is None


class TestActions:
    def test_it_works(self):
        make_action()
        open_programme(expiry="months", expiry_months=1, expiry_period="day")
        customer = make_customer()
        assert act(customer).reason == "Profile filled in"
        assert totals(customer) == (50, 0)
        assert lots(customer)[0].expires_at == datetime(2026, 4, 11, tzinfo=UTC)

    def test_the_same_fact_again_is_the_first_posting(self):
        make_action(cap=5)
        open_programme()
        customer = make_customer()
        assert act(customer) == act(customer, at=NOW + DAY)
        assert totals(customer) == (50, 0)

    @pytest.mark.parametrize(
        ("period", "later", "balance"),
        [
            ("day", datetime(2026, 3, 10, 23, 59, tzinfo=UTC), 100),
            ("day", datetime(2026, 3, 11, tzinfo=UTC), 150),
            ("month", datetime(2026, 3, 31, tzinfo=UTC), 100),
            ("month", datetime(2026, 4, 1, tzinfo=UTC), 150),
            ("year", datetime(2026, 12, 31, tzinfo=UTC), 100),
            ("year", datetime(2027, 1, 1, tzinfo=UTC), 150),
            ("ever", datetime(2036, 1, 1, tzinfo=UTC), 100),
        ],
    )
    def test_twice_in_a_period(self, period, later, balance):
        make_action(cap=2, period=period)
        open_programme()
        customer = make_customer()
        for key in "abc":
            act(customer, key)
        act(customer, "d", at=later)
        assert totals(customer) == (balance, 0)
        assert Act.objects.count() == balance // 50

    def test_nothing_while_the_action_or_the_programme_is_off(self):
        make_action(is_on=False)
        make_action(code="review")
        programme = open_programme()
        customer = make_customer()
        assert act(customer) is None
        programme.opened_at = None
        programme.save(update_fields=["opened_at"])
        assert act(customer, action="review") is None
        assert not Posting.objects.exists()

    def test_an_action_that_nobody_made(self):
        with pytest.raises(actions.UnknownAction, match="no action “review”"):
            act(make_customer(), action="review")


class TestSegments:
    @pytest.fixture
    def champions(self):
        return Segment.objects.create(scheme="rfm", slug="champions", name="Champions")

    def enter(self, customer, segment, day=date(2026, 3, 9)):
        Membership.objects.create(customer=customer, scheme=segment.scheme, segment=segment, changed_on=day)

    def test_it_works(self, champions):
        make_rule(kind="segment", segment=champions, points=200)
        open_programme(pending_days=14)
        customer, other = make_customer(), make_customer()
        self.enter(customer, champions)
        assert [entering.credit(at=NOW), entering.credit(at=NOW + DAY)] == [1, 0]
        assert (totals(customer), totals(other)) == ((200, 0), (0, 0))

    def test_once_for_a_customer_who_comes_back(self, champions):
        make_rule(kind="segment", segment=champions, points=200)
        open_programme()
        customer = make_customer()
        self.enter(customer, champions)
        entering.credit(at=NOW)
        Membership.objects.all().delete()
        self.enter(customer, champions, day=date(2026, 6, 1))
        assert entering.credit(at=NOW + 100 * DAY) == 0

    def test_not_for_those_who_were_there_before_the_rule(self, champions):
        make_rule(kind="segment", segment=champions, points=200)
        open_programme()
        self.enter(make_customer(), champions, day=OPENED.date() - DAY)
        assert entering.credit(at=NOW) == 0

    def test_not_when_the_rule_is_over_or_the_programme_is_off(self, champions):
        make_rule(kind="segment", segment=champions, points=200, ends_at=NOW)
        make_rule(kind="segment", segment=champions, points=300)
        programme = open_programme()
        customer = make_customer()
        self.enter(customer, champions)
        programme.opened_at = None
        programme.save(update_fields=["opened_at"])
        assert entering.credit(at=NOW) == 0
        open_programme()
        entering.credit(at=NOW)
        assert totals(customer) == (300, 0)

    def test_many_at_a_time(self, champions, monkeypatch):
        monkeypatch.setattr(entering, "AT_ONCE", 2)
        make_rule(kind="segment", segment=champions, points=200)
        open_programme()
        for _ in range(5):
            self.enter(make_customer(), champions)
        assert entering.credit(at=NOW) == 5


class TestActivity:
    """Points expire after a month without anything; there are 100 of them from 10 February on."""

    @pytest.fixture
    def customer(self):
        open_programme(expiry="inactivity", expiry_months=1)
        customer = make_customer()
        ends = datetime(2026, 3, 11, tzinfo=UTC)
        points.earn(customer_id=customer.pk, points=100, key="a", at=NOW - 28 * DAY, expires_at=ends)
        return customer

    def test_who_redeems_on_the_last_day_keeps_the_rest(self, customer):
        spent = points.redeem(customer_id=customer.pk, points=40, key="redeem:1", at=NOW)
        Redemption.objects.create(
            customer=customer,
            points=40,
            state="handed_over",
            place="till",
            key="1",
            code="C",
            made_at=NOW,
            posting_id=spent.pk,
        )
        assert [activity.catch_up(at=NOW + DAY), activity.catch_up(at=NOW + DAY)] == [1, 0]
        settling.settle_all(at=NOW + DAY)
        assert totals(customer) == (60, 0)
        settling.settle_all(at=datetime(2026, 4, 11, tzinfo=UTC))
        assert totals(customer) == (0, 0)

    def test_who_does_nothing_loses_them(self, customer):
        assert activity.catch_up(at=NOW + DAY) == 0
        settling.settle_all(at=NOW + DAY)
        assert totals(customer) == (0, 0)

    def test_an_action_keeps_them(self, customer):
        make_action()
        act(customer)
        settling.settle_all(at=NOW + DAY)
        assert totals(customer) == (150, 0)

    def test_with_other_terms_nothing_moves(self, customer):
        open_programme(expiry="months", expiry_months=1)
        assert activity.catch_up(at=NOW + DAY) == 0
