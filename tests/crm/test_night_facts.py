"""What a night was made from: told as far as the run knows it."""

import pytest

from core.models import Business
from crm import night_facts
from tests.desk import AS_OF, make_night, noon, score
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
DOLLARS = Business(currency="USD")
LOOK_BACK = {"key": {"until": "2026-02-28"}, "choice": {"purchase": "Pareto/NBD", "spend": "Log-normal"}}


def told(run, business=DOLLARS):
    return dict(night_facts.rows(run, business=business))


def test_it_works():
    run = make_night(score(make_customer()), score(make_customer(), orders=5), facts_xid=123_456)
    run.model["look_back"] = LOOK_BACK
    run.settings["engine"] = "2"
    expected = {
        "Customers scored": "2",
        "Their orders": "9",
        "Order value to date": "$800.00",
        "Margin to date": "$320.00",
        "Predicted value, 12 months": "$400.00",
        "Facts of transactions before": "123,456",
        "Version of the engine": "2",
        "Time zone": "UTC",
        "Usual margin rate": "40.0%",
        "Discount rate": "10.0%",
        "Looked back from": "28 February 2026",
        "Chosen models": "Pareto/NBD · Log-normal",
    }
    assert expected.items() <= told(run).items()


def test_a_night_from_before_has_less():
    run = make_night(score(make_customer()))
    del run.stats["all"]["orders"]
    assert "Their orders" not in told(run)
    assert "Looked back from" not in told(run)
    assert "Facts of transactions before" not in told(run)


def test_a_night_at_work_has_settings_alone():
    run = make_night()
    run.stats, run.model = {}, {}
    found = told(run)
    assert {"Time zone", "Usual margin rate", "Discount rate"} <= set(found)
    assert {"Customers scored", "Margin to date", "Looked back from"}.isdisjoint(found)


def test_a_currency_without_decimals():
    run = make_night(score(make_customer()))
    assert told(run, Business(currency="JPY"))["Order value to date"] == "¥40,000"


def test_the_page_shows_it(client, manager):
    client.force_login(manager)
    run = make_night(score(make_customer()), facts_xid=77)
    run.model["look_back"] = LOOK_BACK
    run.save(update_fields=["model"])
    page = client.get(f"/jobs/nights/{run.pk}/").content.decode()
    assert "Facts of transactions before" in page
    assert "Pareto/NBD · Log-normal" in page
    assert 'href="/report-card/"' in page


def test_a_page_of_a_night_that_has_just_begun(client, manager):
    client.force_login(manager)
    run = make_night(state="running", is_current=False, published_at=None, finished_at=None, started_at=noon(AS_OF))
    type(run).objects.filter(pk=run.pk).update(stats={}, model={}, settings={})
    assert client.get(f"/jobs/nights/{run.pk}/").status_code == 200
