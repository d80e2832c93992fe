"""The demo's retention plans: written once, with somebody to answer for them, and gone with the demo."""

from datetime import date, timedelta

import pytest

from analytics.models import Plan, PlanAction
from core.models import Business, Role, User
from crm.demo import planning
from tests.factories import make_business, make_customer

UNTIL = date(2025, 6, 30)

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo():
    User.objects.create_user("manager@example.com", "a long password", role=Role.MANAGER, name="Mara")
    make_customer(source="demo")
    return make_business(is_demo=True, currency="EUR")


def test_it_works(demo):
    assert planning.plan(business=demo, until=UNTIL) == Plan.objects.count() == 3
    plan = Plan.objects.get(segment__scheme="value")
    assert (plan.owner.name, plan.budget_cents) == ("Mara", 200)
    soon = PlanAction.objects.filter(due_on__range=(UNTIL, UNTIL + timedelta(days=7)), state__in=["open", "doing"])
    assert soon.exists()


def test_a_currency_without_decimals(demo):
    Business.objects.update(currency="JPY")
    planning.plan(business=Business.objects.get(), until=UNTIL)
    assert Plan.objects.get(segment__scheme="value").budget_cents == 2


def test_once(demo):
    planning.plan(business=demo, until=UNTIL)
    assert planning.plan(business=demo, until=UNTIL) == 0
    assert PlanAction.objects.count() == sum(len(aim.actions) for aim in planning.AIMS)


def test_a_business_of_one_s_own_gets_none():
    make_customer()
    assert planning.plan(business=make_business(name="Mine"), until=UNTIL) == 0


def test_what_somebody_made_theirs_stays(demo):
    planning.plan(business=demo, until=UNTIL)
    Plan.objects.filter(segment__scheme="value").update(goal="Mine")
    planning.clear()
    assert [plan.goal for plan in Plan.objects.all()] == ["Mine"]
