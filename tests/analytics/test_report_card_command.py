"""`./manage.py report_card`: what it prints, how it ends, and that it needs no server."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from analytics.management.commands import report_card as command
from analytics.services.order_files import FileLog
from tests.analytics import cdnow
from tests.analytics.logs import make_shop

DATA = Path(__file__).parent.parent / "data"
CDNOW = DATA / "cdnow_sample.csv"


def run(*paths, **options):
    """The command's output; what goes to stderr is left away."""
    out = StringIO()
    call_command("report_card", *map(str, paths), stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def refused(*paths, **options):
    with pytest.raises(CommandError) as caught:
        run(*paths, **options)
    assert caught.value.returncode == 2
    return str(caught.value)


def day(text):
    return np.datetime64(text).astype(object)


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory):
    """A generic file of 600 days from 2021-01-01."""
    log = make_shop(customers=2500, days=600)
    path = tmp_path_factory.mktemp("shop") / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "date", "amount"])
        for row in range(log.customer.size):
            writer.writerow([log.customer[row], np.datetime64(int(log.order_day[row]), "D"), log.value[row] / 100])
    return path


@pytest.fixture(scope="module")
def cdnow_cards():
    found = json.loads(run(CDNOW, preset="cdnow", origin=[day("1997-09-30"), day("1997-12-31")], json=True))
    return found["origins"]


def test_json_has_the_keys_that_programs_rely_on(cdnow_cards):
    for card in cdnow_cards:
        assert {"origin", "horizon_days", "model", "orders", "spend", "mae", "coverage_80", "naive_mae"} <= set(card)
        for total in (card["orders"], card["spend"]):
            assert set(total) == {"predicted", "low", "high", "actual"}
            assert 0 <= total["low"] <= total["predicted"] <= total["high"]


def test_origins_and_horizons_are_those_asked_for(cdnow_cards):
    assert [(card["origin"], card["horizon_days"]) for card in cdnow_cards] == [
        ("1997-09-30", 273),
        ("1997-12-31", 181),
    ]


def test_cdnow_s_holdout_is_counted_as_published(cdnow_cards):
    """The order days of the 39 weeks after 1997-09-30, from another reading of the same transactions."""
    assert cdnow_cards[0]["orders"]["actual"] == cdnow.next_order_days(273).sum()
    assert cdnow_cards[0]["customers"] == 2357


def test_cdnow_is_predicted_better_than_by_the_naive_baseline(cdnow_cards):
    for card in cdnow_cards:
        assert card["mae"] < card["naive_mae"]
        assert 0.7 < card["coverage_80"] < 0.95
        assert 0.75 < card["orders"]["predicted"] / card["orders"]["actual"] < 1.25


def test_the_published_bg_nbd_stands_beside(cdnow_cards):
    raw = cdnow_cards[0]["raw"]

    assert raw["orders"] / cdnow_cards[0]["orders"]["actual"] == pytest.approx(0.88, abs=0.005)


def test_text_gives_a_table_and_plain_verdicts(shop_file):
    said = run(shop_file, origin=[day("2022-03-31")])

    assert "2022-03-31, the 145 days after:" in said
    for line in ("order days", "spend", "naive, orders", "BG/NBD + Gamma-Gamma, orders"):
        assert f"\n  {line} " in said
    assert "better than the baseline" in said
    assert "clearly better. Past days: " in said


def test_without_an_origin_there_are_three(shop_file):
    found = json.loads(run(shop_file, json=True))["origins"]

    assert [card["horizon_days"] for card in found] == [365, 299, 149]


def test_a_horizon_can_be_asked_for(shop_file):
    found = json.loads(run(shop_file, json=True, origin=[day("2022-03-31")], horizon_days=60))["origins"]

    assert found[0]["horizon_days"] == 60


def test_spend_is_null_without_amounts(tmp_path, shop_file):
    path = tmp_path / "visits.csv"
    with shop_file.open() as file:
        path.write_text("".join(",".join(line.rstrip("\n").split(",")[:2]) + "\n" for line in file))
    (card,) = json.loads(run(path, json=True, origin=[day("2022-03-31")]))["origins"]

    assert card["spend"] is None
    assert card["orders"]["actual"] > 0
    assert "the file has no amounts" in run(path, origin=[day("2022-03-31")])


def test_columns_can_be_mapped(tmp_path, shop_file):
    path = tmp_path / "renamed.csv"
    path.write_text(shop_file.read_text().replace("customer_id,date,amount", "who,when,paid", 1))
    mapping = ["customer_id=who", "date=when", "amount=paid"]

    assert json.loads(run(path, map=mapping, json=True, origin=[day("2022-03-31")]))["origins"][0]["spend"]


# Small and odd files: exit 0 with what can be said


def small(tmp_path, *rows):
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,date,amount\n" + "".join(f"{row}\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "rows",
    [
        ("ada,2025-01-01,10", "ada,2025-06-01,10"),
        ("ada,2025-01-01,10", "bob,2025-01-01,10", "cyd,2025-06-01,0"),
        ("ada,2025-01-01,10", "ada,2025-02-01,10000000", "ada,2025-06-01,-5"),
        ("ada,1925-01-01,10", "ada,2025-06-01,10"),
    ],
)
def test_a_handful_of_orders_is_judged_by_the_shop_s_averages(tmp_path, rows):
    (card,) = json.loads(run(small(tmp_path, *rows), json=True, origin=[day("2025-03-01")]))["origins"]

    assert card["model"] == "Shop averages"
    assert any("customers who bought again" in reason for reason in card["reasons"])
    assert np.isfinite(card["orders"]["high"])


# Refused, with exit code 2


def test_an_origin_outside_of_the_file(shop_file):
    expected = "The origin {} is not within the file before its last day: 2021-01-01 to 2022-08-23."
    for outside in ("2020-12-31", "2022-08-23", "2030-01-01"):
        assert refused(shop_file, origin=[day(outside)]) == expected.format(outside)


def test_a_horizon_past_the_end_of_the_file(shop_file):
    said = refused(shop_file, origin=[day("2022-08-01")], horizon_days=90)

    assert said == "90 days after 2022-08-01 reach past the file's end, 2022-08-23: 22 days are left."


def test_a_horizon_of_no_days(shop_file):
    assert refused(shop_file, origin=[day("2022-03-31")], horizon_days=0) == "A horizon has one day at least."


def test_a_file_that_is_too_short_to_look_back(tmp_path):
    short = small(tmp_path, "ada,2025-01-01,10", "ada,2025-01-10,10")
    assert "Days in the file: 10; looking back takes 57." in refused(short)


def test_a_file_of_guests_or_of_nobody(tmp_path):
    assert "no order of a known customer" in refused(small(tmp_path, ",2025-01-01,10"))
    assert "no order of a known customer" in refused(small(tmp_path))


def test_a_day_by_which_only_returns_are_there(tmp_path):
    rows = ("ada,2025-01-01,10", "ada,2025-01-02,-10", "bob,2025-06-01,10")

    assert "2025-03-01: nobody had ordered by then." in refused(small(tmp_path, *rows), origin=[day("2025-03-01")])


def test_a_preset_column_or_file_that_is_not_there(tmp_path, shop_file):
    assert "There is no preset “amazon”" in refused(shop_file, preset="amazon")
    assert "no column “day” for date" in refused(shop_file, map=["date=day"])
    assert "nothing.csv" in refused(tmp_path / "nothing.csv")


def test_a_zone_that_is_none(shop_file):
    assert "Mars/Olympus" in refused(shop_file, zone="Mars/Olympus")


# Without a server


def test_it_needs_no_server_and_no_home(tmp_path):
    """A process of its own, with an empty home and addresses where nobody listens."""
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    environment = os.environ | nowhere | {"PERENNIAL_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "crm.settings"}
    command = [sys.executable, "manage.py", "report_card", str(CDNOW), "--preset", "cdnow", "--json"]
    done = subprocess.run(
        [*command, "--origin", "1997-12-31", "1998-03-31"],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert [card["origin"] for card in json.loads(done.stdout)["origins"]] == ["1997-12-31", "1998-03-31"]
    assert not (tmp_path / "postgres").exists()


def test_the_exit_code_of_a_refusal_is_two(tmp_path):
    command = [sys.executable, "manage.py", "report_card", str(tmp_path / "nothing.csv")]
    environment = os.environ | {"PERENNIAL_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "crm.settings"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 2
    assert done.stdout == ""


def test_a_sample_is_named(monkeypatch):
    found = FileLog(log=make_shop(customers=30, days=60), ids=[], rows=90, rejected=0, guest_rows=0)
    assert "sample" not in command._read(found)
    monkeypatch.setattr(command.intervals, "SAMPLE", 20)
    assert command._read(found).endswith("intervals are learned from an even sample of 20.")
