"""The simulator: as it is what the night found, under the levers what the model expects, in words that people use."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from analytics import definitions
from analytics.clv.what_if import AMOUNTS, Levers
from analytics.models import Score
from analytics.selectors import what_if, whom
from core.models import Business
from customers.models import AcquisitionCost
from tests import nights
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db
PAGE = "/what-if/"
AS_OF = nights.AS_OF  # 2026-03-31


def make_shop():
    """Sixty customers over two years: a third bought once, the others every 20 to 60 days until some stop."""
    people = [make_customer() for _ in range(60)]
    for number, person in enumerate(people):
        gap, first = 20 + number % 41, AS_OF - timedelta(days=700 - 11 * number)
        for again in range(1 if number % 3 == 0 else 3 + number % 8):
            day = first + timedelta(days=again * gap)
            if day <= AS_OF:
                make_order(customer=person, day=day, value_cents=2_000 + 100 * number)
    return people


@pytest.fixture
def night(db):
    make_business()
    make_shop()
    return nights.pass_night()


def ask(run, of="", **levers):
    return what_if.answer(run=run, whom=whom.read(of), levers=Levers(**levers))


class TestAsItIs:
    def test_it_is_what_the_night_found(self, night):
        found = ask(night)

        sums = Score.objects.filter(run=night).aggregate(
            *(Sum(name) for name in ("clv_cents", "clv_36m_cents", "clv_lifetime_cents", "expected_orders"))
        )
        assert found.lines["clv"].before == pytest.approx(sums["clv_cents__sum"])
        assert found.lines["clv_36m"].before == pytest.approx(sums["clv_36m_cents__sum"])
        assert found.lines["clv_lifetime"].before == pytest.approx(sums["clv_lifetime_cents__sum"])
        assert found.lines["orders"].before == pytest.approx(sums["expected_orders__sum"])
        assert found.lines["clv"].before == pytest.approx(night.stats["all"]["clv_cents"])
