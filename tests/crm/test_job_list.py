"""Nights and jobs: what is done, what failed and why, and who may start or repeat something."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from core import business, engine
from core.models import Business, Job, Pulse, Run
from crm.selectors import jobs, nights
from customers.models import ImportBatch
from customers.services import tags
from tests.desk import AS_OF, make_night, noon, score
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def make_run(**fields):
    return Run.objects.create(**{"as_of": AS_OF, "started_at": noon(AS_OF), "step": "score"} | fields)


def make_job(run, *, seconds=None, **fields):
    start = noon(AS_OF)
    times = {"ready_at": start, "started_at": start}
    if seconds is not None:
        times |= {"finished_at": start + timedelta(seconds=seconds), "state": "done"}
    return Job.objects.create(**{"run": run, "step": "score"} | times | fields)


@pytest.fixture
def failed():
    run = make_run(state="failed", error="The step “score” failed: the disk is full")
    return make_job(run, shard=2, state="dead", attempts=6, error="OSError: the disk is full")


def test_it_works(desk):
    run = make_night(score(make_customer()))
    page = desk.get("/jobs/").content.decode()
    assert "31 March 2026" in page
    assert "Current" in page
    assert "8.0 s" in page
    assert f"/jobs/nights/{run.pk}/" in page


def test_it_says_when_a_night_starts(desk):
    assert "02:00 (UTC)" in desk.get("/jobs/").content.decode()


def test_before_the_first_night(desk):
    assert "No night has run yet" in desk.get("/jobs/").content.decode()


def test_imports_are_listed(desk):
    ImportBatch.objects.create(
        kind="orders", source="shop", preset="generic", files=["a.csv"], state="done",
        report={"imported": 1234, "rejected": 5}, started_at=timezone.now(),
    )  # fmt: skip
    page = desk.get("/jobs/").content.decode()
    assert "a.csv" in page
    assert "1,234" in page


def test_a_running_night_is_watched(desk):
    run = make_run()
    make_job(run, seconds=3, done=700, shard=0)
    make_job(run, state="claimed", shard=1)
    page = desk.get("/jobs/").content.decode()
    assert "is running" in page
    assert 'hx-trigger="every 2s"' in page
    part = desk.get("/jobs/", headers=HX).content.decode()
    assert "<html" not in part


class TestJobs:
    def test_what_failed_stands_first(self, desk, failed):
        later = make_job(failed.run, seconds=1, shard=9)
        rows = jobs.board().jobs
        assert [row.job.pk for row in rows] == [failed.pk, later.pk]

    def test_one_state(self, desk, failed):
        done = make_job(failed.run, seconds=1, shard=9)
        assert [row.job.pk for row in jobs.board(state="done").jobs] == [done.pk]
        page = desk.get("/jobs/?state=done").content.decode()
        assert f"/jobs/{done.pk}/" in page
        assert f"/jobs/{failed.pk}/" not in page

    def test_an_unknown_state_shows_all(self, desk, failed):
        assert desk.get("/jobs/?state=lost&cursor=x").context["board"].state == ""

    def test_the_tabs_count(self, failed):
        make_job(failed.run, seconds=1, shard=9)
        counted = {state: number for state, _, number in jobs.board().tabs}
        assert (counted[""], counted["dead"], counted["done"], counted["ready"]) == (2, 1, 1, 0)

    def test_pages(self, desk, failed):
        made = [make_job(failed.run, seconds=1, shard=shard).pk for shard in range(10, 10 + jobs.PAGE_SIZE + 4)]
        first = jobs.board()
        second = jobs.board(cursor=first.next)
        shown = [row.job.pk for row in first.jobs + second.jobs]
        assert shown == [failed.pk, *reversed(made)]
        assert (len(second.jobs), second.next) == (5, "")

    def test_a_silent_worker_is_named(self, desk):
        Pulse.objects.create(name=Pulse.WATCH, at=timezone.now() - timedelta(minutes=42), since=noon(AS_OF))
        assert "No worker has answered for 42 minutes" in desk.get("/jobs/").content.decode()

    def test_a_worker_that_answers_is_not(self, desk):
        Pulse.objects.create(name=Pulse.WATCH, at=timezone.now() - timedelta(minutes=2), since=noon(AS_OF))
        assert "No worker has answered" not in desk.get("/jobs/").content.decode()


class TestSteps:
    def test_shards_are_added_up(self):
        run = make_run()
        make_job(run, seconds=3, done=700, shard=0, attempts=1)
        make_job(run, seconds=5, done=300, shard=1, attempts=2)
        (found,) = [step for step in nights.steps(run) if step.name == "score"]
        assert (found.state, found.shards, found.done, found.rows) == ("done", 2, 2, 1000)
        assert (found.attempts, found.seconds, found.percent) == (2, 5.0, 100)

    @pytest.mark.parametrize(
        ("states", "expected"),
        [(["done", "claimed"], "running"), (["done", "dead"], "dead"), (["ready", "ready"], "waiting")],
    )
    def test_the_state_of_a_step(self, states, expected):
        run = make_run()
        for shard, state in enumerate(states):
            make_job(run, shard=shard, state=state, finished_at=noon(AS_OF) if state == "done" else None)
        (found,) = [step for step in nights.steps(run) if step.name == "score"]
        assert found.state == expected
        assert found.seconds is None

    def test_steps_stand_in_the_order_of_the_night(self):
        names = [step.name for step in nights.steps(make_run())]
        assert names.index("summaries") < names.index("fit") < names.index("score") < names.index("publish")

    def test_a_past_date_leaves_steps_out(self):
        assert "segments" not in [step.name for step in nights.steps(make_run(is_past=True))]

    def test_half_of_the_parts_is_half_of_a_step(self):
        run = make_run()
        make_job(run, seconds=1, shard=0)
        make_job(run, shard=1)
        found = nights.steps(run)
        assert nights.percent(found) == 50 // len(found)


class TestRunDetail:
    def test_it_works(self, desk):
        run = make_night(score(make_customer()))
        page = desk.get(f"/jobs/nights/{run.pk}/").content.decode()
        assert "MBG/NBD" in page
        assert "0.55 · 10.6 · 0.8 · 2.4" in page
        assert "90 days without an order" in page

    def test_failures_in_words_with_a_button(self, desk, failed):
        page = desk.get(f"/jobs/nights/{failed.run_id}/").content.decode()
        assert "The disk is full." in page
        assert "Make room on the disk" in page
        assert f'action="/jobs/{failed.pk}/retry/"' in page

    def test_a_viewer_sees_no_button(self, client, viewer, failed):
        client.force_login(viewer)
        page = client.get(f"/jobs/nights/{failed.run_id}/").content.decode()
        assert "The disk is full." in page
        assert "retry" not in page

    def test_a_running_night_asks_again(self, desk):
        run = make_run()
        part = desk.get(f"/jobs/nights/{run.pk}/", headers=HX).content.decode()
        assert 'hx-trigger="every 2s"' in part
        Run.objects.update(state="done")
        assert "hx-trigger" not in desk.get(f"/jobs/nights/{run.pk}/", headers=HX).content.decode()

    def test_a_simple_estimate_says_why(self, desk):
        run = make_night(score(make_customer()))
        run.model["fitted"]["reason"] = "12 customers have bought again"
        run.save(update_fields=["model"])
        assert "12 customers have bought again" in desk.get(f"/jobs/nights/{run.pk}/").content.decode()

    def test_unknown(self, desk):
        assert desk.get("/jobs/nights/99999/").status_code == 404


class TestJobDetail:
    def test_it_works(self, desk, failed):
        page = desk.get(f"/jobs/{failed.pk}/").content.decode()
        assert "Score customers, part 3" in page
        assert "6 tries" in page
        assert "The disk is full." in page

    def test_what_the_program_said_stands_behind_details(self, desk, failed):
        page = desk.get(f"/jobs/{failed.pk}/").content.decode()
        assert "<summary>Details</summary>" in page
        assert "OSError: the disk is full" in page

    def test_each_try_that_failed_is_listed_with_its_reason(self, desk):
        job = make_job(make_run())
        for attempt in (1, 2):
            job.attempts, job.state, job.worker = attempt, "claimed", f"host:{attempt}"
            job.save(update_fields=["attempts", "state", "worker"])
            engine.fail(job=job, error=OperationalError("server closed the connection"), at=noon(AS_OF))
        page = desk.get(f"/jobs/{job.pk}/").content.decode()
        assert page.count("The database went away") == 3  # the last one, and each of the two
        assert page.index("host:2") < page.index("host:1</td>")

    def test_a_sentence_for_people_is_shown_as_it_is(self, desk):
        job = make_job(None, state="dead", error="The file holds no orders.", payload={"upload": 99})
        page = desk.get(f"/jobs/{job.pk}/").content.decode()
        assert "The file holds no orders." in page
        assert "<summary>" not in page.split('id="main"')[1].split("</main>")[0].split("note-bad")[1].split("</div>")[0]

    def test_what_was_asked_for_is_told_in_words(self, desk, manager):
        shard = make_job(make_run(), payload={"first": 1, "last": 125_000, "rows": 9})
        page = " ".join(desk.get(f"/jobs/{shard.pk}/").content.decode().split())
        assert "<dt>Customers</dt> <dd> numbers 1 to 125,000 </dd>" in page
        tag = tags.find_or_make(name="Vegan")
        asked = {"query": "risk=high", "tag": tag.pk, "is_given": True, "by": manager.pk}
        job = make_job(None, step="tag_all", payload=asked)
        page = " ".join(desk.get(f"/jobs/{job.pk}/").content.decode().split())
        for name, value in {"Tag": "Vegan", "What to do": "Give it", "Asked for by": str(manager)}.items():
            assert f"<dt>{name}</dt> <dd> {value} </dd>" in page

    def test_what_only_the_program_knows_is_left_out(self, desk):
        job = make_job(None, payload={"upload": 99, "is_new_to_us": "x"})
        page = desk.get(f"/jobs/{job.pk}/").content.decode()
        assert "Is_new_to_us" not in page
        assert "<dt>Upload</dt>" not in page

    def test_unknown(self, desk):
        assert desk.get("/jobs/99999/").status_code == 404


class TestRetry:
    def test_it_works(self, desk, failed):
        Run.objects.update(step="margins")
        answer = desk.post(f"/jobs/{failed.pk}/retry/", follow=True)
        failed.refresh_from_db()
        assert answer.redirect_chain[0][0] == f"/jobs/nights/{failed.run_id}/"
        assert [str(message) for message in answer.context["messages"]] == ["The job is in the queue again."]
        assert (failed.state, failed.attempts, failed.run.state) == ("ready", 0, "running")

    def test_a_night_whose_tables_are_gone_is_left_alone(self, desk, failed):
        Run.objects.update(model={"shards": []})
        answer = desk.post(f"/jobs/{failed.pk}/retry/", follow=True)
        failed.refresh_from_db()
        assert "Start a new night instead." in answer.content.decode()
        assert failed.state == "dead"

    def test_a_job_that_has_not_failed_is_left_alone(self, desk):
        job = make_job(make_run(), seconds=1)
        told = desk.post(f"/jobs/{job.pk}/retry/", follow=True).context["messages"]
        job.refresh_from_db()
        assert job.state == "done"
        assert len(list(told)) == 1

    def test_unknown(self, desk):
        assert desk.post("/jobs/99999/retry/").status_code == 404

    def test_a_viewer_gets_403(self, client, viewer, failed):
        client.force_login(viewer)
        assert client.post(f"/jobs/{failed.pk}/retry/").status_code == 403
        failed.refresh_from_db()
        assert failed.state == "dead"


class TestStart:
    @pytest.fixture(autouse=True)
    def readable(self, monkeypatch):
        """The feed waits for other transactions; the test's own would be one of them."""
        monkeypatch.setattr("core.feed.wait_until_readable", lambda *args, **kwargs: None)

    def test_it_works(self, desk):
        answer = desk.post("/jobs/nights/start/")
        run = Run.objects.get()
        assert answer.url == f"/jobs/nights/{run.pk}/"
        assert run.as_of == business.last_complete_day(business=Business(), at=timezone.now())

    def test_while_another_runs_it_says_so(self, desk):
        make_run()
        told = desk.post("/jobs/nights/start/", follow=True).context["messages"]
        assert ["is at work" in str(message) for message in told] == [True]
        assert Run.objects.count() == 1

    def test_a_viewer_gets_403(self, client, viewer):
        client.force_login(viewer)
        assert client.post("/jobs/nights/start/").status_code == 403
        assert not Run.objects.exists()

    def test_get_is_refused(self, desk):
        assert desk.get("/jobs/nights/start/").status_code == 405


def test_queries(desk, django_assert_num_queries):
    for day in range(5):
        make_night(score(make_customer()), as_of=AS_OF + timedelta(days=day))
    for shard in range(3):
        make_job(make_run(as_of=AS_OF + timedelta(days=20 + shard), state="done"), shard=shard)
    with django_assert_num_queries(11):
        desk.get("/jobs/")
