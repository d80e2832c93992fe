"""Imports as jobs: stopped, killed, beside each other and beside the night."""

import pytest
from django.db import connection
from django.utils import timezone

from core import engine, exclusive, progress
from core.engine import Step
from core.models import Job, Progress, User
from core.receiving import Received
from crm import tasks
from customers.models import Customer, ImportBatch, Order, Upload
from customers.models.upload import Stage
from customers.services import browser_imports, from_files, imports, staging, uploads
from customers.services.uploads import Choice

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 500
CHOICE = Choice(
    preset="generic",
    source="shop",
    mapping={"customer_id": "customer_id", "date": "date", "amount": "amount", "order_id": "order_id"},
)


@pytest.fixture(autouse=True)
def small_and_talkative(settings, tmp_path, monkeypatch):
    """Many chunks, and a look at the clock after each."""
    settings.PERENNIAL_HOME = tmp_path
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0)
    monkeypatch.setattr(staging, "LINES_PER_CHUNK", 100)
    monkeypatch.setattr(from_files, "EVERY_ROWS", 50)


@pytest.fixture
def upload(tmp_path):
    part = tmp_path / "orders.part"
    lines = [f"c{n % 50},2024-01-{n % 28 + 1:02},5.00,{n}" for n in range(ROWS)]
    part.write_text("customer_id,date,amount,order_id\n" + "\n".join(lines) + "\n")
    size = part.stat().st_size
    received = Received(path=part, sha256="0" * 64, lines=ROWS + 1, is_too_large=False, name="orders.csv", size=size)
    user = User.objects.create_user("manager@example.com", role="manager")
    return uploads.keep(received=received, kind="orders", by=user, at=timezone.now())


def work_off():
    return engine.work_off(steps=browser_imports.STEPS, seconds=60)


def begin(upload):
    """Try it out and begin the import; returns its job."""
    uploads.check(upload_id=upload.pk, choice=CHOICE, at=timezone.now())
    assert work_off() == 1
    return uploads.start(upload_id=upload.pk, at=timezone.now()).job


def again(upload):
    return Upload.objects.select_related("job__progress", "batch").get(pk=upload.pk)


def after_some_chunks(monkeypatch, do, *, chunks=2):
    """Call `do` when so many chunks of orders are merged."""
    merge, merged = imports._merge_chunk, []

    def counting(*facts):
        merge(*facts)
        merged.append(1)
        if len(merged) == chunks:
            do()

    monkeypatch.setattr(imports, "_merge_chunk", counting)


def test_it_works(upload):
    begin(upload)
    assert work_off() == 1
    upload = again(upload)
    assert (upload.stage, Order.objects.count(), upload.job.done) == (Stage.DONE, ROWS, ROWS)


def test_others_see_how_far_it_is_while_its_transaction_is_open(upload, monkeypatch, other_connection):
    job, seen = begin(upload), []

    def look():
        with other_connection() as other:
            seen.append(other.execute("SELECT counts, total FROM core_progress WHERE job_id = %s", [job.pk]).fetchone())
            seen.append(other.execute("SELECT count(*) FROM customers_order").fetchone())

    after_some_chunks(monkeypatch, look)
    work_off()
    (counts, total), (orders,) = seen
    assert (counts["read"], counts["staged"], counts["merged"], total) == (ROWS, ROWS, 100, 2 * ROWS)
    assert orders == 0, "and nothing of it is to be seen before it is whole"


class TestStop:
    def test_it_takes_back_everything(self, upload, monkeypatch, other_connection):
        job = begin(upload)

        def ask():
            with other_connection() as other:
                other.execute("UPDATE core_progress SET stop_asked_at = now() WHERE job_id = %s", [job.pk])

        after_some_chunks(monkeypatch, ask)
        work_off()
        upload = again(upload)
        assert (upload.stage, upload.job.attempts, upload.job.error) == (Stage.STOPPED, 1, "")
        assert (Order.objects.count(), Customer.objects.count(), ImportBatch.objects.count()) == (0, 0, 0)

    def test_without_the_one_transaction_chunks_would_stay(self, upload, monkeypatch):
        """The control: the stop comes while rows are written."""
        order = from_files.Order(paths=[uploads.path_of(upload)], source="shop", mapping=CHOICE.mapping)
        plans = from_files.plan(order=order, preset=from_files.preset_named("generic"))

        def stop():
            raise engine.Stopped

        after_some_chunks(monkeypatch, stop)
        with pytest.raises(engine.Stopped):
            from_files.import_orders(order=order, plans=plans, clock=timezone.now, listener=from_files.Listener())
        assert Order.objects.count() == 200

    def test_it_stays_stopped_whoever_looks(self, upload, monkeypatch):
        """Also when its worker died before it heard of the stop."""
        job = begin(upload)
        engine.claim(at=timezone.now(), steps=browser_imports.STEPS)
        uploads.stop(upload_id=upload.pk, at=timezone.now())
        assert engine.release_stale(at=timezone.now() + 2 * engine.LEASE) == 1
        Job.objects.update(ready_at=timezone.now())
        work_off()
        job.refresh_from_db()
        assert (job.state, Order.objects.count()) == (Job.State.STOPPED, 0)
        assert (engine.release_stale(at=timezone.now() + 2 * engine.LEASE), work_off()) == (0, 0)

    def test_it_can_be_begun_again(self, upload):
        begin(upload)
        uploads.stop(upload_id=upload.pk, at=timezone.now())
        assert work_off() == 0
        uploads.start(upload_id=upload.pk, at=timezone.now())
        work_off()
        assert Order.objects.count() == ROWS


class TestFailures:
    def test_a_crash_in_the_middle_leaves_nothing_and_is_tried_again(self, upload, monkeypatch):
        job = begin(upload)

        def crash():
            raise RuntimeError("the lights went out")

        after_some_chunks(monkeypatch, crash)
        work_off()
        job.refresh_from_db()
        assert (job.state, job.error, Order.objects.count()) == ("ready", "the lights went out (RuntimeError)", 0)
        Job.objects.update(ready_at=timezone.now())
        work_off()
        assert (again(upload).stage, Order.objects.count(), ImportBatch.objects.count()) == (Stage.DONE, ROWS, 1)

    def test_what_can_never_work_is_not_tried_again(self, upload):
        job = begin(upload)
        uploads.path_of(upload).write_text("nothing\n")
        work_off()
        job.refresh_from_db()
        assert (job.state, job.attempts) == (Job.State.DEAD, 1)
        assert job.error == "orders.csv, line 1: no column “date” for date. The columns are: nothing."

    def test_a_lost_worker_is_replaced_and_no_row_comes_twice(self, upload):
        begin(upload)
        for _ in range(3):
            engine.claim(at=timezone.now(), steps=browser_imports.STEPS)  # and dies
            engine.release_stale(at=timezone.now() + 2 * engine.LEASE)
            Job.objects.update(ready_at=timezone.now())
        work_off()
        assert (again(upload).job.losses, Order.objects.count(), ImportBatch.objects.count()) == (3, ROWS, 1)


class TestBeside:
    def test_work_of_the_night_does_not_wait_for_an_import(self, upload):
        job = begin(upload)
        night_job = Job.objects.create(step="one", ready_at=timezone.now())
        assert engine.work_off(steps={"one": Step("one", lambda job: {})}, seconds=5) == 1
        job.refresh_from_db()
        night_job.refresh_from_db()
        assert (job.state, night_job.state) == ("ready", "done")

    def test_one_process_at_a_time_does_imports(self, upload, other_connection):
        """A task that comes twice, or for a second import, does nothing and frees its process."""
        begin(upload)
        with other_connection() as other:
            other.execute("SELECT pg_advisory_lock(%s)", [tasks.LONG_WORK])
            assert tasks.work_long() == 0
            other.execute("SELECT pg_advisory_unlock(%s)", [tasks.LONG_WORK])  # a closed session frees it later
        assert tasks.work_long() == 1
        assert Order.objects.count() == ROWS

    def test_the_lock_goes_with_the_work(self):
        with exclusive.alone(1) as first, exclusive.alone(1) as second:
            assert (first, second) == (True, True), "the same session may enter twice"
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1")
            assert cursor.fetchone() == (0,)

    def test_an_import_of_the_command_line_is_waited_for_and_said(self, upload, other_connection, monkeypatch):
        job, waited = begin(upload), []
        other = other_connection()
        other.execute("SELECT pg_advisory_lock(%s)", [imports.LOCK])

        def give_up_soon(seconds):
            waited.append(Progress.objects.get(job=job).counts)
            if len(waited) == 2:
                other.close()

        monkeypatch.setattr(imports.time, "sleep", give_up_soon)
        work_off()
        assert waited[0]["is_waiting"] == 1
        assert (again(upload).stage, Order.objects.count()) == (Stage.DONE, ROWS)

    def test_the_lock_is_held_until_the_rows_can_be_seen(self, upload, monkeypatch, other_connection):
        """Another import that came between the work and its commit would not see them, and make them again."""
        begin(upload)
        free = []
        finish = imports.finish

        def look(target, **facts):
            finish(target, **facts)
            with other_connection() as other:
                free.append(other.execute("SELECT pg_try_advisory_lock(%s)", [imports.LOCK]).fetchone()[0])

        monkeypatch.setattr(imports, "finish", look)
        monkeypatch.setattr(browser_imports.Findings, "as_json", _looking(browser_imports.Findings.as_json, free,
                                                                          other_connection))  # fmt: skip
        work_off()
        assert free == [False, False]


def _looking(function, free, other_connection):
    def look(self, report):
        with other_connection() as other:
            free.append(other.execute("SELECT pg_try_advisory_lock(%s)", [imports.LOCK]).fetchone()[0])
        return function(self, report)

    return look
