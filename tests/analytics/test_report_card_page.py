"""The page of the report card, its file, and the line on Today when something has become poor."""

import csv
import html
import io
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from analytics.clv import churn
from analytics.clv.measures import Group
from analytics.clv.report_card import Total
from analytics.clv.rolling import LastMonth
from analytics.selectors import report_card
from analytics.services import totals
from core.models import Run
from tests import desk as nights
from tests.cards import make_card, make_cards, make_last_month, make_learned, make_looked_back
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db
AS_OF = nights.AS_OF  # 2026-03-31


@pytest.fixture
def shop(db):
    return make_looked_back(make_cards())


def text(answer):
    """Without tags, in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())))


def grades(answer):
    found = r'grade grade-(\w+)">.*?<a href="#about-(\w+)">'
    return {slug: grade for grade, slug in re.findall(found, answer.content.decode(), re.DOTALL)}


def test_it_works(desk, shop):
    answer = desk.get("/report-card/")
    assert grades(answer) == dict.fromkeys(("orders", "spend", "customers", "intervals", "risk"), "good")
    page = text(answer)
    assert "The predictions have been right about this shop's past." in page
    assert "Looked back from 31 March 2026" in page
    assert "Good within 10%, fair within 25%." in page
    assert "No season: None." in page


def test_plots_and_their_tables(desk, shop):
    page = desk.get("/report-card/").content.decode()
    assert page.count('<svg class="plot"') == 5
    assert page.count("Show as a table") == 5
    assert "Jan 25: predicted 1k (800 to 1.25k), actual 1k" in page
    assert "Tenth 10: predicted 0.90, actual 0.99" in page
    assert re.search(r"\$40,000 – \$62,500", page)


def test_a_poor_measure_is_named(desk, db):
    make_looked_back([make_card(orders=Total(1500.0, 1200, 1800, 1000.0))] * 2)
    answer = desk.get("/report-card/")
    assert grades(answer)["orders"] == "poor"
    assert "Handle the predictions with care. Poor on past days: Level of orders." in text(answer)


def test_models_beside_each_other(desk, shop):
    card = report_card.read(shop)
    rows = {(model.name, model.is_used): model for model in report_card.order_models(card)}
    assert rows["MBG/NBD", True].ratios == [1.0, 1.0, 1.0]
    assert rows["BG/NBD", False].ratios == pytest.approx([1.1] * 3)
    assert rows["BG/NBD", False].off == pytest.approx(0.1)
    assert rows["naive", False].ratios == pytest.approx([1.5] * 3)
    assert rows["naive", False].mae == 1.0
    assert rows["Pareto/NBD", False].ratios == [None] * 3
    assert rows["Pareto/NBD", False].off is None
    assert re.search(r"BG/NBD\s*</th>\s*<td class=\"num\">\s*1\.10", desk.get("/report-card/").content.decode())


def test_spend_models_beside_each_other(shop):
    rows = {(model.name, model.is_used): model for model in report_card.spend_models(report_card.read(shop))}
    assert rows["Shrunken mean", True].off == pytest.approx(51 / 50 - 1)
    assert rows["Shrunken mean", False].ratios == pytest.approx([0.9] * 3)
    assert rows["BG/NBD + Gamma-Gamma", False].ratios == pytest.approx([45 / 51] * 3)
    assert rows["naive", False].ratios == pytest.approx([75 / 51] * 3)


def test_last_months_models_stand_beside_todays(desk, db):
    run = make_looked_back(make_cards(), last_month=make_last_month())
    card = report_card.read(run)
    orders = next(model for model in report_card.order_models(card) if model.is_last_months)
    assert (orders.name, orders.ratios, orders.mae) == ("Pareto/NBD", pytest.approx([1.2] * 3), pytest.approx(0.9))
    assert orders.off == pytest.approx(0.2)
    spend = next(model for model in report_card.spend_models(card) if model.is_last_months)
    assert (spend.name, spend.ratios) == ("Log-normal", pytest.approx([1.2] * 3))
    page = text(desk.get("/report-card/"))
    assert "Pareto/NBD last month's, as corrected 1.20 1.20 1.20 20% 0.90" in page
    assert "Log-normal last month's, as corrected 1.20 1.20 1.20 20%" in page


def test_last_months_models_that_could_not_be_fitted(desk, db):
    run = make_looked_back(make_cards(), last_month=LastMonth("Pareto/NBD", "Log-normal", [None] * 3))
    orders = next(one for one in report_card.order_models(report_card.read(run)) if one.is_last_months)
    assert (orders.ratios, orders.off, orders.mae) == ([None] * 3, None, None)
    assert "Pareto/NBD last month's, as corrected – – – – –" in text(desk.get("/report-card/"))


def test_a_look_back_from_before_last_months_were_kept(desk, shop):
    assert "last month" not in text(desk.get("/report-card/"))


def test_a_sample_is_named(desk, db):
    make_looked_back(make_cards(), one_in=4)
    page = text(desk.get("/report-card/"))
    assert (
        "Looked back on one in 4 customers, the same ones each month, because the shop has more than 100,000." in page
    )


def test_without_a_sample_there_is_no_word_of_it(desk, shop):
    assert "Looked back on one in" not in text(desk.get("/report-card/"))


def test_a_model_that_is_out_says_why(desk, db):
    make_looked_back(make_cards(), demoted={"BG/NBD": "BG/NBD was farther off than the naive baseline."})
    assert text(desk.get("/report-card/")).count("BG/NBD was farther off than the naive baseline.") == 1


def test_tenths_of_all_days_together():
    small, large = [Group(1, 0.0, 0.0), Group(1, 4.0, 2.0)], [Group(3, 1.0, 1.0), Group(3, 2.0, 4.0)]
    assert report_card.together([small, large]) == [Group(4, 0.75, 0.75), Group(4, 2.5, 3.5)]
    assert report_card.together([small[:1], large]) == large
    assert report_card.together([]) == []


def test_without_money_there_is_no_spend(desk, db):
    make_looked_back([replace(card, spend=None, raw=None) for card in make_cards()])
    answer = desk.get("/report-card/")
    assert grades(answer)["spend"] == "unknown"
    assert answer.content.decode().count('<svg class="plot"') == 4


def test_without_a_test_of_the_risk_there_is_no_curve(desk, db):
    learned = replace(make_learned(), tested_on=0, brier=None, brier_model=None, curve=())
    make_looked_back(make_cards(), learned=learned)
    answer = desk.get("/report-card/")
    assert grades(answer)["risk"] == "unknown"
    assert "Reliability of the churn risk" not in text(answer)


def test_a_currency_without_decimals(admin, db):
    make_business(currency="JPY")
    run = make_looked_back(make_cards())
    Run.objects.filter(pk=run.pk).update(settings=run.settings | {"currency": "JPY"})
    assert "¥40,000 – ¥62,500" in admin.get("/report-card/").content.decode()


@pytest.mark.parametrize(
    "spend",
    [Total(0.0, 0.0, 0.0, 0.0), Total(-500.0, -900.0, 100.0, -300.0), Total(1e7, 0.0, 4e7, 1.0), Total(1.0, 0, 2, 1e7)],
)
def test_money_of_every_size(desk, db, spend):
    make_looked_back([make_card(spend=spend)] * 2)
    page = desk.get("/report-card/").content.decode()
    assert not re.search(r"\b(nan|inf)\b", page.lower())


def test_customers_who_all_did_the_same(desk, db):
    """Nobody orders again: nothing to gain, and no risk to tell from another."""
    nothing = make_card(
        orders=Total(0.0, 0.0, 0.0, 0.0),
        mae=0.0,
        naive_mae=0.0,
        silent=1.0,
        coverage_80=1.0,
        groups=[Group(10, 0.0, 0.0)] * 10,
        gain=[],
        gini=0.0,
    )
    learned = replace(make_learned(), curve=(churn.Bin(100, 1.0, 1.0),))
    make_looked_back([nothing] * 2, learned=learned)
    answer = desk.get("/report-card/")
    assert grades(answer) | {"spend": ""} == {
        "orders": "good",
        "spend": "",
        "customers": "unknown",
        "intervals": "good",
        "risk": "unknown",
    }


def test_grades_month_by_month(desk, db):
    """The last night of each look back counts: those of April look back from 31 March."""
    make_looked_back(make_cards(), as_of=date(2026, 2, 27), grades={"orders": "fair"})
    make_looked_back(make_cards(), as_of=date(2026, 2, 28), grades={"orders": "poor", "risk": "unknown"})
    make_looked_back(make_cards(), as_of=date(2026, 4, 2), grades={"orders": "good"})
    months, courses = report_card.history(date(2026, 4, 2))
    assert months == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert courses[0].grades == ["fair", "poor", "good"]
    assert courses[-1].grades == [None, "unknown", None]
    assert "Month by month" in text(desk.get("/report-card/"))


def test_grades_of_later_nights_and_of_nights_without_are_left_out(db):
    nights.make_night(as_of=date(2026, 1, 31))
    make_looked_back(make_cards(), as_of=date(2026, 4, 30), grades={"orders": "good"})
    assert report_card.history(AS_OF)[0] == []


def test_one_month_is_no_history(desk, shop):
    assert "Month by month" not in text(desk.get("/report-card/"))


# Not yet


def test_before_the_first_night(admin, db):
    assert "No report card yet" in text(admin.get("/report-card/"))
    assert admin.get("/report-card/export/").status_code == 404


def test_a_night_that_has_not_looked_back(desk, db):
    nights.make_night()
    assert "It shows after the first night that has looked back." in text(desk.get("/report-card/"))


def test_a_night_from_before_there_were_cards(desk, db):
    run = make_looked_back([])
    del run.model["look_back"]["cards"]
    run.save(update_fields=["model"])
    assert "It shows after the next night." in text(desk.get("/report-card/"))


def test_a_young_shop_is_told_what_is_missing_and_when(desk, db):
    make_order(customer=make_customer(), day=date(2026, 2, 1))
    totals.refresh()
    make_looked_back([], reasons=["The history is 59 days long; looking back takes 84."])
    page = text(desk.get("/report-card/"))
    assert "The past is too short to tell" in page
    assert "The history is 59 days long; looking back takes 84." in page
    assert "The shop will be old enough with the night of 30 April 2026." in page  # 84 days are over on 25 April


def test_an_old_shop_with_few_customers_is_given_no_date(desk, db):
    make_order(customer=make_customer(), day=AS_OF - timedelta(days=400))
    totals.refresh()
    make_looked_back([], reasons=["2025-06-30: 12 customers had bought again; looking back takes 200."])
    page = text(desk.get("/report-card/"))
    assert "It is tried again at the end of every month." in page
    assert "old enough" not in page


# Who may what


def test_viewers_read_and_take_nothing_out(viewer, shop):
    answer = viewer.get("/report-card/")
    assert answer.status_code == 200
    assert "/report-card/export/" not in answer.content.decode()
    assert viewer.get("/report-card/export/").status_code == 403


def test_strangers_sign_in_first(client, shop):
    assert client.get("/report-card/").status_code == 302


def test_export(admin, db):
    make_looked_back(make_cards(), last_month=make_last_month())
    answer = b"".join(admin.get("/report-card/export/").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(answer)))
    assert [row["origin"] for row in rows] == ["2025-01-28", "2025-02-28", "2025-03-28"]
    assert rows[0] == {
        "origin": "2025-01-28",
        "horizon_days": "365",
        "customers": "1000",
        "model": "MBG/NBD",
        "spend_model": "Shrunken mean",
        "orders_predicted": "1000.00",
        "orders_low": "800.00",
        "orders_high": "1250.00",
        "orders_actual": "1000.00",
        "spend_predicted": "50000.00",
        "spend_low": "40000.00",
        "spend_high": "62500.00",
        "spend_actual": "51000.00",
        "mae": "0.800000",
        "coverage_80": "0.800000",
        "brier": "0.150000",
        "gini": "0.600000",
        "naive_mae": "1.000000",
        "naive_orders": "1500.00",
        "naive_spend": "75000.00",
        "raw_orders": "1100.00",
        "raw_spend": "45000.00",
        "last_month_model": "Pareto/NBD",
        "last_month_spend_model": "Log-normal",
        "last_month_mae": "0.900000",
        "last_month_orders": "1200.00",
        "last_month_spend": "61200.00",
    }


def test_export_leaves_empty_what_there_is_none_of(admin, db):
    make_looked_back([replace(card, spend=None, raw=None) for card in make_cards()])
    answer = b"".join(admin.get("/report-card/export/").streaming_content).decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(answer)))
    assert (row["spend_predicted"], row["spend_actual"], row["raw_orders"], row["raw_spend"]) == ("", "", "", "")
    assert (row["last_month_model"], row["last_month_mae"], row["last_month_spend"]) == ("", "", "")


@pytest.mark.parametrize("count", [2, 5])
def test_queries(desk, db, count, django_assert_num_queries):
    make_looked_back(make_cards(count))
    desk.get("/report-card/")
    with django_assert_num_queries(6):
        desk.get("/report-card/")


# Today


def month_before(**grades):
    return make_looked_back(make_cards(), as_of=date(2026, 2, 28), until="2026-02-28", grades=grades)


def test_today_says_when_a_measure_has_become_poor(desk, db):
    make_order(customer=make_customer(), day=AS_OF)
    totals.refresh()
    month_before(orders="good", risk="fair")
    make_looked_back(make_cards(), grades={"orders": "poor", "risk": "good"})
    page = desk.get("/").content.decode()
    assert "A measure of the predictions is poor now that was not a month ago:" in text(desk.get("/"))
    assert re.search(r'id="slipped".*Level of orders.*href="/report-card/"', page, re.DOTALL)
    assert "Churn risk</b>" not in page


@pytest.mark.parametrize(
    ("before", "now"), [("poor", "poor"), ("unknown", "poor"), ("good", "unknown"), ("good", "fair"), ("poor", "good")]
)
def test_nothing_else_is_an_alarm(db, before, now):
    month_before(orders=before)
    assert report_card.slipped(make_looked_back(make_cards(), grades={"orders": now})) == []


def test_nights_of_the_same_month_are_not_the_month_before(db):
    """As of 15 April the look back is that of 31 March, as it was on 31 March itself."""
    month_before(orders="good")
    make_looked_back(make_cards(), grades={"orders": "poor"})
    later = make_looked_back(make_cards(), as_of=date(2026, 4, 15), grades={"orders": "poor"})
    assert [str(one.label) for one in report_card.slipped(later)] == ["Level of orders"]


def test_it_goes_away_by_itself(db):
    """A month on it was poor before too."""
    month_before(orders="good")
    make_looked_back(make_cards(), grades={"orders": "poor"})
    april = make_looked_back(make_cards(), as_of=date(2026, 4, 30), until="2026-04-30", grades={"orders": "poor"})
    assert report_card.slipped(april) == []


def test_the_first_look_back_is_no_alarm(db):
    assert report_card.slipped(make_looked_back(make_cards(), grades={"orders": "poor"})) == []


def test_today_asks_nothing_while_all_is_well(db, django_assert_num_queries):
    run = make_looked_back(make_cards(), grades={"orders": "good", "risk": "unknown"})
    with django_assert_num_queries(0):
        assert report_card.slipped(run) == []
