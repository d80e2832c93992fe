"""`./manage.py nightly`: what it says and how it ends."""

import re
import subprocess
import sys
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core import business, engine
from core.models import Run
from crm import night
from tests import nights
from tests.factories import make_customer, make_order, make_refund
from tests.nights import AS_OF, FIRST, score_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nightly(capfd):
    """Run the command for a date; returns what it wrote, the progress first."""

    def run(as_of=AS_OF, **options):
        call_command("nightly", as_of=as_of, **options)
        out, progress = capfd.readouterr()
        return progress + out

    return run


def command(environment, *arguments):
    script = [sys.executable, "manage.py", "nightly", "--skip-checks", *arguments]
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_it_works(nightly):
    nights.make_random_shop(1)
    said = nightly()
    assert "Published as of 2026-03-31, current." in said
    assert re.search(r"Customers with an order: \d+", said)
    assert "Model for the scores: Shop averages (" in said
    progress = said.splitlines()[1 : len(night.STEPS) + 1]
    assert [line.split()[0] for line in progress] == list(night.STEPS)


def test_the_same_date_again_says_that_nothing_changed(nightly):
    nightly()
    assert "nothing has changed since it was published" in nightly()


def test_without_a_date_it_is_the_last_complete_day(nightly):
    day = business.last_complete_day(business=business.current(), at=timezone.now())
    assert f"Published as of {day}" in nightly(as_of=None)


def test_a_past_date_is_labelled(nightly):
    nightly()
    said = nightly(FIRST)
    assert "2026-01-01, kept beside a later night." in said
    assert "(a past date: kept, not shown)" in said


class TestStrangeShops:
    def test_no_orders(self, nightly):
        assert "Nobody to score: there is no paid order up to 2026-03-31." in nightly()

    def test_one_customer(self, nightly):
        make_order(customer=make_customer())
        assert "Customers with an order: 1\n" in nightly()

    def test_all_refunds(self, nightly):
        make_refund(order=make_order(customer=make_customer()))
        assert "Every order came back, so nothing is predicted: 1" in nightly()

    def test_orders_in_the_future(self, nightly):
        make_order(customer=make_customer(), day=AS_OF + timedelta(days=3))
        said = nightly()
        assert "Nobody to score" in said
        assert "Orders after 2026-03-31, which count from their own day on: 1" in said

    def test_guests(self, nightly):
        make_order(customer=None)
        assert "Nobody to score: all orders up to 2026-03-31 are guests' orders." in nightly()


class TestRefusals:
    def test_a_day_that_is_not_over(self):
        with pytest.raises(CommandError, match=r"is not over yet; the last complete business day is \d{4}-") as refused:
            call_command("nightly", as_of=date(2999, 1, 1))
        assert refused.value.returncode == 2

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--as-of", "2026-02-30"], "“2026-02-30” is not a date"),
            (["--workers", "0"], "“0” is not a number of processes from 1 to 64"),
        ],
    )
    def test_nonsense_is_named(self, arguments, said):
        with pytest.raises(CommandError, match=said):
            call_command("nightly", *arguments)

    def test_a_process_ends_with_status_2_and_a_sentence(self, environment):
        done = command(environment, "--as-of", "31.12.2025")
        assert done.returncode == 2
        assert "“31.12.2025” is not a date" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_night_that_fails_says_why(self, nightly, monkeypatch):
        monkeypatch.setattr(engine, "BACKOFF_SECONDS", 0)
        monkeypatch.setattr("analytics.services.score_rows.build", lambda **given: 1 / 0)
        with pytest.raises(CommandError, match=r"“score” failed: division by zero .* The last published night stays"):
            nightly()


def test_a_night_that_was_left_unfinished_comes_first(nightly):
    left = night.start(as_of=AS_OF, at=timezone.now()).run
    said = nightly(AS_OF + timedelta(days=1))
    assert "Published as of 2026-04-01, current." in said
    assert "Night of 2026-03-31, revision 1 is unfinished; it comes first." in said
    left.refresh_from_db()
    assert left.state == Run.State.DONE


def test_two_processes_give_the_same_rows_as_one(environment, monkeypatch):
    nights.make_random_shop(1, customers=30)
    one = nights.pass_night()
    expected = score_rows(one)
    Run.objects.update(settings={})
    done = command(environment, "--as-of", str(AS_OF), "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert score_rows(Run.objects.get(is_current=True)) == expected
    assert Run.objects.get(is_current=True).stats == one.stats
