"""A shop with something on every page. What it is called is Greek, so that any English on a page is the page's own."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from analytics.services import baskets, cohorts, period_counts, scenarios
from core import alerts, keys
from core.models import Alert, Job, Role, User
from customers.models import AcquisitionCost, Category, Company, CustomField, Email, ImportBatch
from customers.services import search
from loyalty.models import Programme
from tests import desk
from tests.customers.test_import_pages import imported, tried_out, uploaded
from tests.factories import (
    make_business,
    make_customer,
    make_order,
    make_product,
    make_refund,
    make_unmatched_return,
)

PASSWORD = "correct horse battery"
FILE = "customer_id,date,amount\nα,2024-01-01,5\nβ,2024-02-31,5\n"


def make_showcase(client):
    """An admin, signed in to `client`, and the shop as it stands after last night."""
    make_business(name="Κήπος", currency="EUR")
    Programme.objects.create(name="Κύκλος", points_name="πόντοι")
    admin = User.objects.create_user("admin@example.com", PASSWORD, role=Role.ADMIN, name="Άννα", is_staff=True)
    User.objects.create_user("viewer@example.com", PASSWORD, role=Role.VIEWER, name="Βάσω")
    client.force_login(admin)
    as_of = timezone.localdate() - timedelta(days=1)
    people = _people(as_of)
    _records(people, as_of)
    _nights(people, as_of)
    _cohorts(as_of)
    _behind_the_scenes(admin)
    tried_out(client, uploaded(client, FILE + "γ,2024-01-02,7\n"))
    imported(client, FILE)
    return admin


def _people(as_of):
    company = Company.objects.create(external_id="1", name="Φάρος")
    people = [make_customer(name=f"Νίκος {number}", channel="κ", country="Ελλάδα") for number in range(30)]
    people[0].company = company
    people[0].save(update_fields=["company"])
    Email.objects.bulk_create(Email(customer=one, address=f"p{one.pk}@example.com") for one in people)
    for number in range(20):
        order = make_order(customer=people[0], day=as_of - timedelta(days=9 * number), value_cents=2_000 + number)
        if number == 2:
            make_refund(order=order, value_cents=500)
    make_unmatched_return(customer=people[0], day=as_of)
    search.refresh(customer_ids=[one.pk for one in people])
    return people


def _records(people, as_of):
    category = Category.objects.create(name="Καφές")
    make_product(sku="1", name="Κόκκοι", category=category)
    CustomField.objects.create(key="k", label="Χρώμα", kind=CustomField.Kind.TEXT)
    desk.make_days(as_of, 400)


def _nights(people, as_of):
    rows = [
        desk.score(
            one, clv_cents=5_000 * (30 - number), clv_36m_cents=9_000 * (30 - number), churn_band=1 + number % 3,
            clv_lifetime_cents=15_000 * (30 - number), segment=1 + number % 10,
            churn_risk=(number % 10) / 10, segment_changed_on=as_of,
        )
        for number, one in enumerate(people)
    ]  # fmt: skip
    desk.make_night(*rows[1:], as_of=as_of - timedelta(days=30), is_current=False)
    desk.make_summaries(*rows, as_of=as_of)
    run = desk.make_night(*rows, as_of=as_of, moves={"1>1": 20, "1>2": 4, "9>10": 2, "0>4": 1})
    Job.objects.create(
        run=run,
        step="score",
        state=Job.State.DEAD,
        attempts=6,
        error="The worker κ went away.",
        ready_at=run.started_at,
    )


def _cohorts(as_of):
    """What the night adds up for the pages of cohorts and key figures, and a cost for the first month of orders."""
    first = as_of - timedelta(days=9 * 19)
    AcquisitionCost.objects.create(channel="", month=first.replace(day=1), amount_cents=1_000)
    baskets.refresh(as_of=as_of)
    cohorts.refresh(as_of=as_of)
    for back in (0, 30):
        period_counts.refresh(as_of=as_of - timedelta(days=back), active_days=90)


def _behind_the_scenes(admin):
    now = timezone.now()
    for name, change in (("Σενάριο α", 10), ("Σενάριο β", -10)):
        item = scenarios.Item(name=name, note="Λόγος", changes={"leaving": Decimal(change)})
        scenarios.add(item=item, by=admin, at=now)
    keys.create(name="Κλειδί", scopes=["orders"], created_by=admin, at=now)
    failed = alerts.Cause("night-failed:2026-11-21", Alert.Kind.NIGHT_FAILED, {"as_of": "2026-11-21", "run": 1})
    alerts.reconcile(causes=[failed], at=now)
    ImportBatch.objects.create(
        kind="orders", source="shop", preset="generic", files=["α.csv"], state=ImportBatch.State.FAILED,
        error="α.csv is a damaged workbook.", started_at=now, finished_at=now,
    )  # fmt: skip
