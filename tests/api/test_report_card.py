"""The report card over HTTP."""

from dataclasses import replace
from datetime import date

import pytest

from analytics import verdicts
from analytics.api import report_card
from core.models import Run
from tests.api.callers import caller
from tests.cards import make_card, make_cards, make_last_month, make_looked_back
from tests.factories import make_business

pytestmark = pytest.mark.django_db
URL = "/api/v1/report-card/"


@pytest.fixture
def api(db):
    return caller("analytics:read")


def test_it_works(api):
    make_looked_back(make_cards(2), as_of=date(2026, 4, 12), last_month=make_last_month(2))
    answer = api.get(URL).json()
    assert (answer["as_of"], answer["looked_back_from"]) == ("2026-04-12", "2026-03-31")
    assert answer["overall"] == "The predictions have been right about this shop's past."
    assert [one["origin"] for one in answer["origins"]] == ["2025-01-28", "2025-02-28"]
    assert answer["origins"][0] == {
        "origin": "2025-01-28",
        "horizon_days": 365,
        "model": "MBG/NBD",
        "orders": {"predicted": 1000.0, "low": 800.0, "high": 1250.0, "actual": 1000.0},
        "spend": {"predicted": "50000.00", "low": "40000.00", "high": "62500.00", "actual": "51000.00"},
        "mae": 0.8,
        "coverage_80": 0.8,
        "naive_mae": 1.0,
        "last_month": {
            "model": "Pareto/NBD",
            "spend_model": "Log-normal",
            "orders": 1200.0,
            "spend": "61200.00",
            "mae": 0.9,
        },
    }
    assert [one["slug"] for one in answer["verdicts"]] == list(verdicts.MEASURES)
    assert answer["verdicts"][2] == {
        "slug": "customers",
        "name": "Error per customer",
        "grade": "good",
        "sentence": "Off by 0.80 order days per customer; the baseline by 1.00.",
    }


def test_the_example_has_the_shape_of_an_answer(api):
    make_looked_back(make_cards(2), last_month=make_last_month(2))
    answer = api.get(URL).json()
    assert list(answer) == list(report_card.CARD)
    assert list(answer["origins"][0]) == list(report_card.ORIGIN)
    assert list(answer["origins"][0]["last_month"]) == list(report_card.LAST_MONTH)
    assert list(answer["verdicts"][0]) == list(report_card.VERDICT)


def test_without_last_months_models(api):
    make_looked_back(make_cards(2))
    assert [one["last_month"] for one in api.get(URL).json()["origins"]] == [None, None]


def test_without_money(api):
    said = make_last_month(2, spend=None)
    make_looked_back([replace(card, spend=None) for card in make_cards(2)], last_month=said)
    answer = api.get(URL).json()
    assert answer["origins"][0]["last_month"]["spend"] is None
    assert answer["origins"][0]["spend"] is None
    assert {one["slug"]: one["grade"] for one in answer["verdicts"]}["spend"] == "unknown"


def test_a_currency_without_decimals(api):
    make_business(currency="JPY")
    run = make_looked_back([make_card()])
    Run.objects.filter(pk=run.pk).update(settings=run.settings | {"currency": "JPY"})
    assert api.get(URL).json()["origins"][0]["spend"]["predicted"] == "50000"


def test_a_young_shop_has_verdicts_and_no_origins(api):
    make_looked_back([])
    answer = api.get(URL).json()
    assert answer["origins"] == []
    assert answer["verdicts"][0]["sentence"] == "0 past days could be compared; it takes 2."


def test_before_the_first_night(api):
    assert api.get(URL).json() == {
        "as_of": None,
        "looked_back_from": None,
        "overall": "",
        "origins": [],
        "verdicts": [],
    }


def test_parameters_are_refused(api):
    answer = api.get(f"{URL}?days=30")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "days"


def test_another_scope_is_refused(db):
    assert caller("orders").get(URL).status_code == 403
