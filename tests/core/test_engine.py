"""The engine with steps of its own: claims, attempts, leases and the way from step to step."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core import engine, progress
from core.engine import Step
from core.models import Job, Progress, Run

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 3, 1, 2, tzinfo=UTC)
LATER = AT + engine.LEASE + timedelta(seconds=1)


def steps(*given, **works):
    """Steps that do what `works` says by name, in one shard each."""
    made = [*given, *(Step(name, work) for name, work in works.items())]
    return {step.name: step for step in made}


def fine(job):
    return {"rows": 1}


def broken(job):
    raise ValueError("the shelf is empty\nsecond line")


def refused(job):
    raise engine.Refused("The shelf is empty.")


@transaction.atomic
def make_run(the_steps, **fields):
    run = Run.objects.create(**{"as_of": AT.date(), "started_at": AT} | fields)
    engine.begin(run=run, steps=the_steps, at=AT)
    return run


def make_job(**fields):
    return Job.objects.create(**{"step": "one", "ready_at": AT} | fields)


def claimed(at=AT):
    """Claim the one job that waits."""
    job = engine.claim(at=at)
    assert job is not None
    return job


@pytest.fixture
def in_thread():
    """Run functions in threads with connections of their own; returns what they gave."""

    def run(*functions):
        results, barrier = [], threading.Barrier(len(functions))

        def work(function):
            try:
                barrier.wait()
                results.append(function())
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=[function]) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run


def test_it_works():
    order = []

    def note(job):
        order.append(job.payload.get("n", "last"))
        return {"rows": 10, "said": "so"}

    plan = steps(Step("cut", note, plan=lambda run: [{"n": 1}, {"n": 2}]), last=note)
    run = engine.drive(run_id=make_run(plan).pk, steps=plan)
    assert (run.state, run.step, order) == (Run.State.DONE, "last", [1, 2, "last"])
    assert list(run.jobs.order_by("id").values_list("step", "shard", "state", "done", "attempts")) == [
        ("cut", 0, "done", 10, 1),
        ("cut", 1, "done", 10, 1),
        ("last", 0, "done", 10, 1),
    ]
    assert run.jobs.get(step="last").result == {"rows": 10, "said": "so"}


def test_a_step_without_shards_is_passed_over():
    plan = steps(Step("nothing", fine, plan=lambda run: []), last=fine)
    assert engine.drive(run_id=make_run(plan).pk, steps=plan).state == Run.State.DONE


def test_a_past_run_leaves_out_what_is_not_for_it():
    plan = steps(Step("never", broken, in_past=False), Step("one", fine), Step("also never", broken, in_past=False))
    run = engine.drive(run_id=make_run(plan, is_past=True).pk, steps=plan)
    assert (run.state, [job.step for job in run.jobs.all()]) == (Run.State.DONE, ["one"])


class TestSteps:
    """Steps that are at work side by side."""

    def test_begin_together_and_end_together(self):
        waiting = []

        def note(job):
            waiting.append((job.step, sorted(job.run.jobs.exclude(state="done").values_list("step", flat=True))))
            return {"rows": 1}

        plan = steps(Step("one", note), Step("two", note), Step("with two", note, beside=True), Step("last", note))
        run = engine.drive(run_id=make_run(plan).pk, steps=plan)
        assert (run.state, run.step) == (Run.State.DONE, "last")
        assert waiting == [
            ("one", ["one"]),
            ("two", ["two", "with two"]),
            ("with two", ["with two"]),
            ("last", ["last"]),
        ]

    def test_wait_for_the_one_that_is_left(self):
        plan = steps(Step("two", fine), Step("with two", fine, beside=True), Step("last", fine))
        run = make_run(plan)
        job = claimed(at=timezone.now())
        assert engine.perform(job=job, steps=plan)
        assert not engine.advance(run_id=run.pk, steps=plan, at=timezone.now())
        run.refresh_from_db()
        assert (job.step, run.step) == ("two", "two")

    def test_fail_together(self):
        plan = steps(Step("two", fine), Step("with two", refused, beside=True), Step("last", fine))
        run = engine.drive(run_id=make_run(plan).pk, steps=plan)
        assert (run.state, run.step) == (Run.State.FAILED, "two")
        assert not run.jobs.filter(step="last").exists()

    def test_a_past_run_takes_what_is_for_it(self):
        plan = steps(Step("two", fine), Step("never", broken, in_past=False, beside=True), Step("last", fine))
        run = engine.drive(run_id=make_run(plan, is_past=True).pk, steps=plan)
        assert [job.step for job in run.jobs.order_by("id")] == ["two", "last"]


def test_jobs_without_a_run_are_done_too():
    job = make_job()
    assert engine.work_off(steps=steps(one=fine), seconds=5) == 1
    job.refresh_from_db()
    assert job.state == Job.State.DONE


class TestClaim:
    def test_the_one_that_has_waited_longest(self):
        make_job(ready_at=AT)
        first = make_job(ready_at=AT - timedelta(minutes=1))
        job = claimed()
        assert (job.pk, job.state, job.attempts, job.worker) == (first.pk, "claimed", 1, engine.worker_name())

    def test_not_before_its_time(self):
        make_job(ready_at=AT + timedelta(seconds=1))
        assert engine.claim(at=AT) is None

    def test_the_jobs_of_a_failed_run_rest(self):
        make_run(steps(one=fine), state=Run.State.FAILED)
        assert engine.claim(at=AT) is None

    def test_two_workers_take_two_jobs(self, in_thread):
        for _ in range(20):
            make_job()

        def take():
            taken = []
            while (job := engine.claim(at=AT)) is not None:
                taken.append(job.pk)
            return taken

        taken = [pk for found in in_thread(take, take, take) for pk in found]
        assert (len(taken), len(set(taken))) == (20, 20)

    def test_without_the_lock_two_take_the_same(self, in_thread):
        """The negative control: read, wait, write."""
        make_job()
        both_have_read = threading.Barrier(2)

        def take_carelessly():
            job = Job.objects.get(state="ready")
            both_have_read.wait()
            job.state = "claimed"
            job.save(update_fields=["state"])
            return job.pk

        first, second = in_thread(take_carelessly, take_carelessly)
        assert first == second


class TestPerform:
    def test_a_shard_is_done_once_though_two_hold_its_claim(self, in_thread):
        make_job()
        job, done = claimed(), []

        def note(job):
            done.append(job.pk)
            return {"rows": 1}

        plan = steps(one=note)
        results = in_thread(*[lambda: engine.perform(job=Job.objects.get(pk=job.pk), steps=plan)] * 2)
        assert (sorted(results), done) == ([False, True], [job.pk])

    def test_a_claim_that_passed_to_another_is_left_alone(self):
        make_job()
        mine = claimed()
        engine.release_stale(at=LATER)
        theirs = claimed(LATER)
        assert not engine.perform(job=mine, steps=steps(one=broken))
        assert engine.perform(job=theirs, steps=steps(one=fine))
        assert Job.objects.get().state == Job.State.DONE

    def test_a_late_failure_does_not_touch_the_claim_of_another(self):
        make_job()
        mine = claimed()
        engine.release_stale(at=LATER)
        claimed(LATER)
        engine.fail(job=mine, error=ValueError("too late"), at=LATER)
        assert Job.objects.get().state == Job.State.CLAIMED

    def test_work_and_done_are_one_transaction(self):
        make_job()

        def write_and_break(job):
            make_job(step="left over")
            raise ValueError("no")

        assert not engine.perform(job=claimed(), steps=steps(one=write_and_break))
        assert not Job.objects.filter(step="left over").exists()


class TestFailure:
    def test_it_is_tried_again_after_pauses_that_double(self):
        make_job()
        pauses = []
        for _ in range(engine.MAX_ATTEMPTS - 1):
            job = claimed(timezone.now() + timedelta(hours=1))
            engine.fail(job=job, error=ValueError("no"), at=AT)
            pauses.append((Job.objects.get().ready_at - AT).total_seconds())
        assert pauses == [2, 4, 8, 16, 32]

    def test_a_job_that_never_works_is_laid_aside_and_its_run_says_why(self, monkeypatch):
        monkeypatch.setattr(engine, "BACKOFF_SECONDS", 0)
        plan = steps(one=broken, two=fine)
        run = engine.drive(run_id=make_run(plan).pk, steps=plan)
        job = run.jobs.get()
        assert (job.state, job.attempts) == (Job.State.DEAD, engine.MAX_ATTEMPTS)
        assert job.error == "the shelf is empty (ValueError)"
        assert (run.state, run.error) == (
            Run.State.FAILED, "The step “one” failed: the shelf is empty (ValueError)"
        )  # fmt: skip

    def test_one_failure_costs_nothing_but_time(self, monkeypatch):
        monkeypatch.setattr(engine, "BACKOFF_SECONDS", 0)
        plan = steps(one=lambda job: fine(job) if job.attempts > 1 else broken(job))
        run = engine.drive(run_id=make_run(plan).pk, steps=plan)
        assert (run.state, run.jobs.get().attempts, run.jobs.get().error) == (Run.State.DONE, 2, "")

    def test_a_step_that_this_version_does_not_know_fails_the_run(self):
        run = make_run(steps(old=fine))
        assert engine.work_off(steps=steps(old=fine), seconds=0) == 0
        engine.perform(job=claimed(timezone.now()), steps=steps(old=fine))
        engine.advance(run_id=run.pk, steps=steps(new=fine), at=AT)
        run.refresh_from_db()
        assert (run.state, run.error) == ("failed", "This version knows no step “old”: start the night again.")


class TestRelease:
    def test_a_dead_workers_job_is_handed_out_after_the_lease_and_not_before(self):
        make_job()
        claimed()
        assert engine.release_stale(at=AT + engine.LEASE) == 0
        assert engine.release_stale(at=LATER) == 1
        job = Job.objects.get()
        assert (job.state, job.losses) == (Job.State.READY, 1)
        assert job.error == f"The worker {engine.worker_name()} went away."

    def test_not_while_the_workers_transaction_lives(self, other_connection):
        job = make_job()
        claimed()
        with other_connection() as worker:
            with worker.transaction():
                worker.execute("SELECT 1 FROM core_job WHERE id = %s FOR NO KEY UPDATE", [job.pk])
                assert engine.release_stale(at=LATER) == 0
            assert engine.release_stale(at=LATER) == 1

    def test_lost_workers_are_no_failed_attempts(self):
        make_job()
        for number in range(engine.MAX_ATTEMPTS):
            claimed(AT + number * timedelta(minutes=1))
            engine.release_stale(at=AT + number * timedelta(minutes=1, seconds=1) + timedelta(seconds=30))
        assert Job.objects.get().state == Job.State.READY
        engine.fail(job=claimed(timezone.now()), error=ValueError("first"), at=AT)
        assert Job.objects.get().ready_at == AT + timedelta(seconds=engine.BACKOFF_SECONDS)

    def test_a_job_that_kills_every_worker_is_laid_aside(self):
        run = make_run(steps(one=fine))
        for number in range(engine.MAX_LOSSES):
            claimed(AT + number * timedelta(minutes=1))
            engine.release_stale(at=AT + number * timedelta(minutes=1) + timedelta(seconds=30))
        run.refresh_from_db()
        assert (run.jobs.get().state, run.state) == (Job.State.DEAD, Run.State.FAILED)
        assert run.error == f"The step “one” failed: The worker {engine.worker_name()} went away."

    def test_the_sweeper_goes_on_with_a_run_that_stands_still(self):
        plan = steps(one=fine, two=fine)
        run = make_run(plan)
        engine.perform(job=claimed(), steps=plan)  # and the worker dies before it goes on
        engine.sweep(steps=plan, at=AT)
        run.refresh_from_db()
        assert run.step == "two"


class TestAdvance:
    def test_the_last_shard_of_two_workers_goes_on_once(self, in_thread):
        plan = steps(Step("cut", fine, plan=lambda run: [{}, {}]), two=fine)
        run = make_run(plan)
        jobs = [claimed(), claimed()]

        def finish(job):
            engine.perform(job=job, steps=plan)
            return engine.advance(run_id=run.pk, steps=plan, at=AT)

        went_on = in_thread(lambda: finish(jobs[0]), lambda: finish(jobs[1]))
        assert went_on.count(True) == 1
        assert run.jobs.filter(step="two").count() == 1

    def test_an_unfinished_step_stays(self):
        plan = steps(one=fine)
        assert not engine.advance(run_id=make_run(plan).pk, steps=plan, at=AT)


class TestRetry:
    @pytest.fixture
    def failed(self, monkeypatch):
        monkeypatch.setattr(engine, "BACKOFF_SECONDS", 0)
        plan = steps(Step("cut", broken, plan=lambda run: [{}, {}]))
        return engine.drive(run_id=make_run(plan).pk, steps=plan)

    def test_it_works_for_all_that_failed_in_the_run(self, failed):
        other = failed.jobs.get(shard=1)
        Job.objects.filter(pk=other.pk).update(state=Job.State.DEAD)
        engine.retry(job_id=failed.jobs.get(shard=0).pk, at=AT)
        run = engine.drive(run_id=failed.pk, steps=steps(cut=fine))
        assert (run.state, run.error) == (Run.State.DONE, "")
        assert set(run.jobs.values_list("state", "attempts")) == {("done", 1)}

    def test_what_has_not_failed_is_refused(self):
        with pytest.raises(engine.CannotRetry, match="has not failed"):
            engine.retry(job_id=make_job().pk, at=AT)


class TestLongJobs:
    """Jobs without a run that take long: done by workers of their own, watched and stopped."""

    def enqueued(self, **options):
        return engine.enqueue(**{"step": "one", "payload": {"n": 1}, "total": 10, "at": AT, "bell": "jobs"} | options)

    def test_it_is_written_with_its_progress(self):
        job = self.enqueued()
        assert (job.state, job.payload, job.run, job.progress.percent) == ("ready", {"n": 1}, None, 0)
        assert Progress(done=11, total=10).percent == 100
        assert Progress(done=11).percent is None, "nobody knows how much there is to do"

    def test_only_the_steps_that_are_asked_for(self):
        self.enqueued(step="long")
        assert engine.claim(at=AT, steps={"short"}) is None
        assert engine.work_off(steps=steps(short=fine), seconds=5) == 0
        assert engine.is_waiting(steps=["long"], at=AT)
        assert not engine.is_waiting(steps=["short"], at=AT)
        assert engine.work_off(steps=steps(long=fine), seconds=5) == 1
        assert not engine.is_waiting(steps=["long"], at=AT)

    def test_what_is_refused_is_not_tried_again(self):
        def refuse(job):
            raise engine.Refused("The file is empty.")

        job = self.enqueued()
        assert not engine.perform(job=claimed(), steps=steps(one=refuse))
        job.refresh_from_db()
        assert (job.state, job.error, job.attempts) == (Job.State.DEAD, "The file is empty.", 1)

    def test_one_that_waits_is_stopped_at_once(self):
        job = self.enqueued()
        engine.stop(job_id=job.pk, at=AT)
        job.refresh_from_db()
        assert (job.state, job.finished_at, engine.claim(at=LATER)) == (Job.State.STOPPED, AT, None)

    def test_one_that_works_hears_of_it_when_it_tells_how_far_it_is(self):
        job = self.enqueued()

        def work(job):
            Run.objects.create(as_of=AT.date(), started_at=AT)
            with progress.watching(job) as watch:
                watch.told = float("-inf")
                watch.other.cursor().execute("UPDATE core_progress SET stop_asked_at = now()")
                watch.tell(done=5, read=5)
            return {}

        assert not engine.perform(job=claimed(), steps=steps(one=work))
        job.refresh_from_db()
        assert (job.state, job.progress.counts, job.progress.done) == (Job.State.STOPPED, {"read": 5}, 5)
        assert not Run.objects.exists(), "what it did is taken back"

    def test_one_that_is_done_stays_done(self):
        job = self.enqueued()
        engine.work_off(steps=steps(one=fine), seconds=5)
        engine.stop(job_id=job.pk, at=AT)
        job.refresh_from_db()
        assert job.state == Job.State.DONE

    def test_telling_is_rare(self):
        job = self.enqueued()
        with progress.watching(job) as watch:
            for done in range(1, 100):
                watch.tell(done=done)
            assert Progress.objects.get(job=job).done == 0, "not more than once a second"
            watch.told = float("-inf")
            watch.tell(done=100)
            assert Progress.objects.get(job=job).done == 100
