"""The database decides on tiers as the plain rules do, whatever stands and whatever was bought."""

import random
from datetime import date, timedelta

import pytest

from loyalty import tiering
from loyalty.models import Move, Standing
from loyalty.selectors import tier_values
from loyalty.tiering import Stand
from tests.factories import DAY, make_customer, make_order
from tests.loyalty.tiers import make_member, make_plan, make_tiers, settle

pytestmark = pytest.mark.django_db


def make_state(rng, tiers_of):
    """A standing that may be anything, on the day before; and orders around the windows that may count."""
    customer = make_customer()
    for _ in range(rng.randrange(4)):
        day = DAY - timedelta(days=rng.choice([0, 1, 10, 68, 69, 70, 200, 364, 365, 366, 380, 600, 800]))
        make_order(customer=customer, day=day, value_cents=rng.choice([40, 100, 150, 300]))
    if rng.random() < 0.8:
        rank = rng.randrange(3)
        ends_on = DAY + timedelta(days=rng.choice([-400, -70, -20, -1, 0, 1, 300])) if rank else None
        grace = timedelta(days=rng.choice([0, 20]))
        make_member(
            tiers_of[rank],
            customer=customer,
            ends_on=ends_on,
            until=ends_on and ends_on + grace,
            set_by=rng.choice(["rules", "rules", "raised", "lowered"]) if rank else "rules",
        )
    return customer


def value_of(customer, span):
    days = customer.orders.values_list("placed_on", "value_cents")
    return sum(cents for day, cents in days if (span.first is None or span.first <= day) and day <= span.last)


class TestAgainstThePlainRules:
    @pytest.mark.parametrize("window", ["rolling", "year", "lifetime"])
    @pytest.mark.parametrize("by_step", [True, False])
    def test_the_database_decides_the_same(self, window, by_step):
        rng = random.Random(f"{window} {by_step}")
        own = (None, *make_tiers(qualify_by="money", window=window, downgrade="step" if by_step else "recalculated"))
        make_plan(grace_days=5)
        rules = tier_values.scheme().rules
        people = [make_state(rng, own) for _ in range(80)]
        expected = {person.pk: self.decide(rules, person) for person in people}
        settle(*people)
        rows = {row.pk: row for row in Standing.objects.select_related("tier")}
        found = {pk: self.stand(rows.get(pk)) for pk in expected}
        assert found == {pk: decision and decision.stand for pk, decision in expected.items()}
        reasons = {pk: decision.reason for pk, decision in expected.items() if decision and decision.reason}
        assert dict(Move.objects.values_list("customer_id", "reason")) == reasons
        assert set(reasons.values()) == {"reached", "ended", "hand-ended"}

    def decide(self, rules, person):
        row = Standing.objects.select_related("tier").filter(customer=person).first()
        ended = row is not None and row.ends_on is not None and row.ends_on < DAY
        return tiering.decide(
            rules,
            self.stand(row),
            today=DAY,
            value_now=value_of(person, tiering.window(rules.window, DAY)),
            value_then=value_of(person, tiering.window(rules.window, row.ends_on)) if ended else 0,
            has_facts=person.orders.filter(
                placed_on__gte=tiering.window(rules.window, DAY).first or date.min, placed_on__lte=DAY
            ).exists(),
        )

    def stand(self, row):
        return row and Stand(row.tier.rank if row.tier else 0, row.ends_on, row.until, row.set_by)
