"""The CSV files that other programs rely on: columns, formats and order."""

import csv
import io
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from analytics.services import exports, partitions
from core.models import Run
from customers.models import Identity
from tests.factories import make_business, make_customer, make_order, make_refund
from tests.nights import AS_OF, pass_night

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = (
    "source,external_id,as_of,orders,order_days,first_order_at,last_order_at,age_days,p_alive,churn_risk,"
    "expected_orders_12m,expected_margin_per_order,clv_12m,clv_12m_low,clv_12m_high,clv_historic,segment,model"
)


def scores(run=None):
    out = io.StringIO()
    exports.write_scores(out, run=run or exports.run_for(None))
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def segments():
    out = io.StringIO()
    exports.write_segments(out, run=exports.run_for(None))
    return list(csv.DictReader(io.StringIO(out.getvalue())))


@pytest.fixture
def anna():
    return make_customer(external_id="anna")


def test_it_works(anna, tmp_path):
    make_business(time_zone="Europe/Berlin")
    make_order(customer=anna, at=datetime(2026, 1, 5, 23, 30, tzinfo=UTC), day=date(2026, 1, 6), value_cents=12_345)
    make_order(customer=anna, at=datetime(2026, 3, 30, 8, tzinfo=UTC), day=date(2026, 3, 30), value_cents=1_000)
    pass_night()
    call_command("export_scores", tmp_path / "scores.csv")
    header, row = (tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert header == COLUMNS
    known, predicted = row.split(",")[:8], row.split(",")[8:15]
    assert known == [
        *("shop", "anna", "2026-03-31", "2", "2"),
        *("2026-01-06T00:30:00+01:00", "2026-03-30T10:00:00+02:00", "84"),
    ]
    alive, risk, orders, margin, clv, low, high = predicted
    assert all(len(figure.split(".")[1]) == 6 and float(figure) >= 0 for figure in (alive, risk, orders))
    assert all(len(figure.split(".")[1]) == 2 and float(figure) > 0 for figure in (margin, clv))
    assert float(low) <= float(clv) <= float(high)
    assert row.split(",")[15] == "53.38"
    assert row.split(",")[17] == "Shop averages"


def test_a_negative_amount_is_a_number_and_no_formula(anna):
    make_order(customer=anna, value_cents=-1_000)
    assert scores_of("anna")["clv_historic"] == "-4.00"


def scores_of(external_id):
    pass_night()
    return next(row for row in scores() if row["external_id"] == external_id)


def test_who_sent_everything_back_stays_without_predictions(anna):
    make_refund(order=make_order(customer=anna))
    row = scores_of("anna")
    assert (row["orders"], row["order_days"], row["segment"], row["model"]) == ("0", "0", "", "")
    names = ("p_alive", "churn_risk", "expected_orders_12m", "expected_margin_per_order", "clv_12m")
    assert [row[name] for name in names] == [""] * 5


def test_rows_are_sorted_by_source_and_id_as_bytes():
    for source, name in [("b", "1"), ("a", "b"), ("a", "B"), ("a", "ä"), ("a", "10"), ("a", "9")]:
        make_order(customer=make_customer(source=source, external_id=name))
    pass_night()
    found = [(row["source"], row["external_id"]) for row in scores()]
    assert found == [("a", "10"), ("a", "9"), ("a", "B"), ("a", "b"), ("a", "ä"), ("b", "1")]


def test_the_first_identity_names_a_customer(anna):
    Identity.objects.create(customer=anna, source="a second shop", external_id="7")
    make_order(customer=anna)
    pass_night()
    assert [(row["source"], row["external_id"]) for row in scores()] == [("shop", "anna")]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_what_a_spreadsheet_would_run_gets_a_quote(name):
    make_order(customer=make_customer(external_id=name))
    pass_night()
    assert scores()[0]["external_id"] == f"'{name}"
    assert segments()[0]["external_id"] == f"'{name}"


def test_money_of_currencies_without_cents_has_two_decimals_too(anna):
    make_business(currency="JPY")
    make_order(customer=anna, value_cents=1_000)
    assert scores_of("anna")["clv_historic"] == "400.00"


class TestSegments:
    def test_it_works(self, anna, tmp_path):
        make_order(customer=anna, day=AS_OF - timedelta(days=3))
        for n in range(5):
            make_order(customer=make_customer(), day=AS_OF - timedelta(days=40 + n))
        pass_night()
        make_order(customer=make_customer(external_id="zoe"), day=AS_OF + timedelta(days=1))
        pass_night(AS_OF + timedelta(days=1))
        call_command("export_segments", tmp_path / "segments.csv")
        lines = (tmp_path / "segments.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "source,external_id,segment,previous_segment,changed_on"
        rows = {row["external_id"]: row for row in segments()}
        assert (rows["zoe"]["previous_segment"], rows["zoe"]["changed_on"]) == ("", "2026-04-01")
        assert rows["anna"]["changed_on"] in {"2026-03-31", "2026-04-01"}

    def test_who_has_no_order_that_stands_is_in_none(self, anna):
        make_refund(order=make_order(customer=anna))
        pass_night()
        assert segments() == []


class TestRuns:
    def test_the_run_of_a_date(self, anna):
        make_order(customer=anna, day=date(2026, 1, 5))
        pass_night()
        past = pass_night(date(2026, 1, 31))
        assert exports.run_for(date(2026, 1, 31)) == past
        assert scores(past)[0]["age_days"] == "26"

    def test_none_yet(self):
        with pytest.raises(CommandError, match="No night has been published yet"):
            call_command("export_scores", "-")
        with pytest.raises(CommandError, match="No night has been published yet"):
            call_command("export_segments", "-")

    def test_a_date_without_scores(self, anna):
        run = pass_night()
        with pytest.raises(CommandError, match="No scores are kept for 2026-01-01"):
            call_command("export_scores", "-", as_of=date(2026, 1, 1))
        partitions.drop(run.pk)
        with pytest.raises(CommandError, match="No scores are kept for 2026-03-31"):
            call_command("export_scores", "-", as_of=AS_OF)

    def test_a_failed_run_gives_nothing(self):
        Run.objects.create(as_of=AS_OF, state=Run.State.FAILED, started_at=datetime(2026, 4, 1, tzinfo=UTC))
        with pytest.raises(exports.NoScores):
            exports.run_for(AS_OF)


def test_standard_output_is_the_file_and_nothing_else(anna, capsys):
    make_order(customer=anna)
    pass_night()
    call_command("export_scores", "-")
    assert capsys.readouterr().out.splitlines()[0] == COLUMNS


def test_a_file_that_cannot_be_written_is_named(anna, tmp_path):
    pass_night()
    with pytest.raises(CommandError, match=r"x\.csv cannot be written: No such file or directory"):
        call_command("export_scores", str(tmp_path / "nowhere" / "x.csv"))


def test_a_reader_that_goes_away_is_no_error(environment):
    for n in range(300):
        make_order(customer=make_customer(external_id="x" * 150 + str(n)))
    pass_night()
    line = f"{sys.executable} manage.py export_scores - --skip-checks | head -n 1"
    done = subprocess.run(line, shell=True, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, "Traceback" in done.stderr) == (COLUMNS + "\n", False)
