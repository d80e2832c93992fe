"""Nights over real facts: what is made again, what is published, what is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from analytics.clv import shop as engine_of_values
from analytics.models import Score
from analytics.services import partitions, publishing, scoring, summaries
from core import engine, feed
from core.engine import CannotRetry
from core.models import Business, Job, Run
from crm import night
from customers.models import Company, Membership
from customers.services import persons
from customers.services.persons import Person
from tests import nights
from tests.factories import make_customer, make_order, make_refund
from tests.nights import AS_OF, FIRST, pass_night, score_rows

pytestmark = pytest.mark.django_db(transaction=True)

AFTER_PUBLISHING = {"segments", "segment_points", "tidy"}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(engine, "BACKOFF_SECONDS", 0)


@pytest.fixture
def shop():
    return nights.make_random_shop(1, customers=40)


def without(name, work):
    """The night's steps with other work in one of them."""
    return night.STEPS | {name: replace(night.STEPS[name], work=work)}


def broken(job):
    raise RuntimeError("the disk is full")


class TestFirstNight:
    def test_it_works(self, shop):
        run = pass_night()
        assert (run.state, run.is_current, run.revision, run.is_past) == (Run.State.DONE, True, 1, False)
        assert set(score_rows(run)) == set(nights.plain_summaries(AS_OF))
        assert Score.objects.filter(run=run).count() == run.stats["all"]["customers"] > 20
        assert set(run.jobs.values_list("step", flat=True)) == set(night.STEPS)

    def test_rows_say_what_the_facts_say(self, shop):
        run, expected = pass_night(), nights.plain_summaries(AS_OF)
        for customer, row in score_rows(run).items():
            known = expected[customer]
            for name in ("orders", "order_days", "first_at", "last_at", "value_cents"):
                assert row[name] == known[name]
            assert row["historic_cents"] == known["margin_cents"]
            assert (row["age_days"], row["last_age_days"]) == (
                (AS_OF - known["first_on"]).days,
                (AS_OF - known["last_on"]).days,
            )

    def test_totals_are_those_of_the_rows(self, shop):
        run = pass_night()
        rows, everybody = score_rows(run).values(), run.stats["all"]
        assert everybody["clv_cents"] == sum(row["clv_cents"] or 0 for row in rows)
        assert everybody["value_cents"] == sum(row["value_cents"] for row in rows)
        assert everybody["orders"] == sum(row["orders"] for row in rows)
        assert everybody["expected_milli"] == sum(round(1000 * (row["expected_orders"] or 0)) for row in rows) > 0
        for name in ("clv_36m_cents", "clv_lifetime_cents"):
            assert everybody[name] == sum(row[name] or 0 for row in rows) > everybody["clv_cents"]
            assert sum(cell[name] for cell in run.stats["schemes"]["value"]["segments"].values()) == everybody[name]
        assert everybody["active"] == sum(row["last_age_days"] < 90 and row["order_days"] > 0 for row in rows)
        for part in ("segments", "bands", "cells"):
            assert sum(cell["customers"] for cell in run.stats[part].values()) == len(rows)

    def test_the_intervals_of_the_totals_widen_with_the_years(self, shop):
        run = pass_night()
        widths = [high - low for low, high in run.stats["ends"].values()]
        assert list(run.stats["ends"]) == ["clv_cents", "clv_36m_cents", "clv_lifetime_cents"]
        assert all(low <= run.stats["all"][name] <= high for name, (low, high) in run.stats["ends"].items())
        assert widths == sorted(widths)

    def test_a_customer_whose_every_order_came_back_stays_without_predictions(self, shop):
        gone = make_customer()
        make_refund(order=make_order(customer=gone, day=FIRST))
        row = score_rows(pass_night())[gone.pk]
        assert (row["orders"], row["order_days"], row["segment"], row["churn_band"]) == (0, 0, 0, 0)
        empty = ("p_alive", "churn_risk", "expected_orders", "order_margin_cents", "clv_cents", "usual_gap_days")
        assert [row[name] for name in empty] == [None] * 6
        assert not Membership.objects.filter(customer=gone).exists()


class TestStrangeShops:
    """A night publishes whatever it finds."""

    def test_no_orders(self):
        run = pass_night()
        assert (run.state, run.is_current, run.stats["all"]["customers"]) == (Run.State.DONE, True, 0)

    def test_one_customer(self):
        customer = make_customer()
        make_order(customer=customer, day=AS_OF)
        row = score_rows(pass_night())[customer.pk]
        assert 0 <= row["p_alive"] <= 1
        assert row["clv_cents"] > 0

    def test_all_refunds(self):
        for _ in range(3):
            make_refund(order=make_order(customer=make_customer(), day=FIRST), day=AS_OF)
        run = pass_night()
        assert (run.state, run.stats["segments"]["0"]["customers"]) == (Run.State.DONE, 3)

    def test_orders_in_the_future_alone(self):
        make_order(customer=make_customer(), day=AS_OF + timedelta(days=1))
        assert pass_night().stats["all"]["customers"] == 0
        assert pass_night(AS_OF + timedelta(days=1)).stats["all"]["customers"] == 1

    def test_guests_alone(self):
        make_order(customer=None, day=FIRST)
        assert pass_night().stats["all"]["customers"] == 0

    def test_negative_money(self):
        customer = make_customer()
        make_order(customer=customer, day=FIRST, value_cents=-500)
        row = score_rows(pass_night())[customer.pk]
        assert (row["historic_cents"], row["clv_cents"] >= 0) == (-200, True)


class TestAgain:
    def test_the_same_date_is_no_work(self, shop):
        run = pass_night()
        again = night.start(as_of=AS_OF, at=timezone.now())
        assert (again.run.pk, again.is_new, Run.objects.count()) == (run.pk, False, 1)

    def test_new_facts_make_a_revision(self, shop):
        pass_night()
        make_order(customer=shop[0], day=AS_OF)
        run = pass_night()
        assert (run.revision, run.is_current) == (2, True)
        assert Run.objects.get(is_current=True) == run

    @pytest.mark.parametrize("setting", [{"discount_rate": "0.2"}, {"churn_horizon_days": 30}, {"margin_rate": "0.5"}])
    def test_a_changed_setting_makes_a_revision(self, shop, setting):
        pass_night()
        Business.objects.update(**setting)
        run = pass_night()
        assert run.revision == 2
        assert not night.start(as_of=AS_OF, at=timezone.now()).is_new

    def test_who_is_a_company_now_makes_a_revision(self, shop):
        pass_night()
        firm = Person(name="Ana", company=Company.objects.create(source="shop", external_id="f1", name="A firm"))
        persons.change(customer_id=shop[0].pk, person=firm)
        assert pass_night().revision == 2
        persons.change(customer_id=shop[0].pk, person=replace(firm, name="Ana of the firm"))
        assert not night.start(as_of=AS_OF, at=timezone.now()).is_new

    def test_scores_that_are_gone_are_made_again(self, shop):
        partitions.drop(pass_night().pk)
        assert pass_night().revision == 2

    def test_a_restored_backup_makes_a_revision(self, shop):
        pass_night()
        Run.objects.update(facts_xid=feed.horizon() + 10**9)
        assert pass_night().revision == 2

    def test_after_a_failure_the_date_gets_a_new_revision(self, shop):
        started = night.start(as_of=AS_OF, at=timezone.now())
        engine.drive(run_id=started.run.pk, steps=without("fit", broken))
        assert (pass_night().revision, Run.objects.filter(state=Run.State.DONE).count()) == (2, 1)

    def test_a_night_for_another_date_has_to_wait(self, shop):
        running = night.start(as_of=AS_OF, at=timezone.now()).run
        with pytest.raises(night.AnotherRunIsAtWork, match="2026-03-31 is at work") as refused:
            night.start(as_of=AS_OF + timedelta(days=1), at=timezone.now())
        assert refused.value.run == running


class TestPastDates:
    def test_it_is_kept_and_not_shown(self, shop):
        current = pass_night()
        past = pass_night(FIRST + timedelta(days=30))
        assert (past.is_past, past.is_current, past.state) == (True, False, Run.State.DONE)
        assert Run.objects.get(is_current=True) == current
        assert set(score_rows(past)) == set(nights.plain_summaries(past.as_of))
        assert {"segments", "cohorts"}.isdisjoint(past.jobs.values_list("step", flat=True))
        assert not partitions.runs_with(summaries.PAST_PREFIX)

    def test_it_does_not_disturb_the_next_night(self, shop):
        pass_night()
        pass_night(FIRST + timedelta(days=30))
        run = pass_night(AS_OF + timedelta(days=1))
        assert run.is_current
        assert set(score_rows(run)) == set(nights.plain_summaries(run.as_of))

    def test_the_same_past_date_is_no_work_either(self, shop):
        pass_night()
        past = pass_night(FIRST + timedelta(days=30))
        assert night.start(as_of=past.as_of, at=timezone.now()).run == past


@pytest.mark.parametrize("rows_a_shard", [7, 1000])
def test_any_number_of_shards_gives_the_same_rows(shop, monkeypatch, rows_a_shard):
    whole = pass_night()
    expected, totals = score_rows(whole), whole.stats
    Run.objects.update(settings={})
    monkeypatch.setattr(scoring, "SHARD_ROWS", rows_a_shard)
    again = pass_night()
    assert again.jobs.filter(step="score").count() == -(-len(expected) // rows_a_shard)
    assert (score_rows(again), again.stats) == (expected, totals)


class TestFailure:
    def test_the_last_night_stays_and_the_reason_is_named(self, shop):
        good = pass_night()
        started = night.start(as_of=AS_OF + timedelta(days=1), at=timezone.now())
        run = engine.drive(run_id=started.run.pk, steps=without("index", broken))
        assert (run.state, run.error) == (
            Run.State.FAILED, "The step “index” failed: the disk is full (RuntimeError)"
        )  # fmt: skip
        assert Run.objects.get(is_current=True) == good
        assert Score.objects.filter(run=good).count() == good.stats["all"]["customers"]

    def test_whatever_failed_another_try_completes_it(self, shop, monkeypatch):
        """A night in which each step fails once; by the first attempt, so that none beside it is done meanwhile."""
        monkeypatch.setattr(engine, "MAX_ATTEMPTS", 1)
        pass_night()
        run, failed = night.start(as_of=AS_OF + timedelta(days=1), at=timezone.now()).run, []
        for step in night.STEPS:
            broke = engine.drive(run_id=run.pk, steps=without(step, broken))
            assert (broke.state, broke.is_current) == (Run.State.FAILED, step in AFTER_PUBLISHING), step
            dead = broke.jobs.get(state=Job.State.DEAD)
            failed.append(dead.step)
            night.retry(job_id=dead.pk, at=timezone.now())
        run = engine.drive(run_id=run.pk, steps=night.STEPS)
        assert (run.state, run.is_current, run.error) == (Run.State.DONE, True, "")
        assert failed == list(night.STEPS)
        assert set(score_rows(run)) == set(nights.plain_summaries(run.as_of))

    def test_an_older_night_cannot_be_tried_again(self, shop):
        started = night.start(as_of=AS_OF, at=timezone.now())
        failed = engine.drive(run_id=started.run.pk, steps=without("score", broken))
        pass_night(AS_OF + timedelta(days=1))
        with pytest.raises(CannotRetry, match="The night of 2026-04-01 began after this one"):
            night.retry(job_id=failed.jobs.get(step="score").pk, at=timezone.now())

    def test_a_night_whose_table_is_gone_cannot_be_tried_again(self, shop):
        started = night.start(as_of=AS_OF, at=timezone.now())
        failed = engine.drive(run_id=started.run.pk, steps=without("score", broken))
        partitions.drop(failed.pk)
        with pytest.raises(CannotRetry, match="had worked out is gone"):
            night.retry(job_id=failed.jobs.get(step="score").pk, at=timezone.now())

    def test_a_job_that_did_not_fail_cannot_be_tried_again(self, shop):
        with pytest.raises(CannotRetry, match="has not failed"):
            night.retry(job_id=pass_night().jobs.first().pk, at=timezone.now())

    def test_money_that_is_no_number_is_not_published(self, shop, monkeypatch):
        score = engine_of_values.score

        def nonsense(*given):
            found = score(*given)
            found.clv[0] = float("nan")
            return found

        monkeypatch.setattr(engine_of_values, "score", nonsense)
        run = pass_night()
        assert (run.state, run.is_current) == (Run.State.FAILED, False)
        assert "no number" in run.error


class TestTidying:
    def test_revisions_and_old_nights_go_and_readers_keep_what_they_hold(self, shop, monkeypatch):
        monkeypatch.setattr(publishing, "KEEP_NIGHTS", 4)
        runs = [pass_night(AS_OF + timedelta(days=step)) for step in range(8)]
        kept = partitions.kept() & {run.pk for run in runs}
        assert kept == {runs[0].pk, *[run.pk for run in runs[-4:]]}  # 31 March ends its month
        assert sort_indexes(runs[-1]) == len(partitions.SORTS)
        assert [sort_indexes(run) for run in (runs[0], runs[-4])] == [0, 0]

    def test_the_revision_just_replaced_stays_for_who_has_fetched_the_pointer(self, shop):
        pointer = pass_night()
        make_order(customer=shop[0], day=AS_OF)
        pass_night()
        assert Score.objects.filter(run_id=pointer.pk).count() == pointer.stats["all"]["customers"]

    def test_four_hundred_runs_are_no_burden(self, shop, django_assert_max_num_queries):
        begun = timezone.now()
        Run.objects.bulk_create(
            Run(
                as_of=FIRST - timedelta(days=n // 2),
                revision=1 + n % 2,
                state="done",
                started_at=begun,
                published_at=begun,
            )
            for n in range(400)
        )
        run = pass_night()
        with django_assert_max_num_queries(40):
            publishing.tidy(run=run)
        assert run.model["compared_with"] is None
        assert len(publishing.kept_runs()) < 60

    def test_what_a_backup_reads_waits_for_the_next_night(self, shop, other_connection, monkeypatch):
        monkeypatch.setattr(publishing, "KEEP_NIGHTS", 1)
        old = pass_night(AS_OF - timedelta(days=9))
        for step in (8, 7, 6):
            pass_night(AS_OF - timedelta(days=step))
        with other_connection() as backup, backup.transaction():
            backup.execute(f"LOCK TABLE {partitions.table_of(old.pk + 1)} IN ACCESS SHARE MODE")
            run = pass_night(AS_OF)
            assert run.state == Run.State.DONE
            assert old.pk + 1 in partitions.kept()
        pass_night(AS_OF + timedelta(days=1))
        assert old.pk + 1 not in partitions.kept()


def sort_indexes(run):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary",
            [partitions.table_of(run.pk)],
        )
        return cursor.fetchone()[0]
