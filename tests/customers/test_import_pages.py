"""Importing in the browser: the whole way, and what is refused on it."""

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from core import engine
from core.models import Job, Progress, User
from customers.models import Customer, ImportBatch, Order, Upload
from customers.models.upload import Stage
from customers.services import browser_imports, imports, uploads

pytestmark = pytest.mark.django_db

HEAD = "customer_id,date,amount,order_id,name\n"
TWO = HEAD + "a,2024-01-01,5.00,1,Ann\nb,2024-02-03,7.50,2,Bob\n"


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.PERENNIAL_HOME = tmp_path
    return tmp_path


@pytest.fixture
def manager(client):
    user = User.objects.create_user("manager@example.com", role="manager", name="Mia")
    client.force_login(user)
    return client


def send(client, content=TWO, *, name="orders.csv", kind="orders"):
    """Upload; returns the answer."""
    data = content.encode() if isinstance(content, str) else content
    return client.post(reverse("customers:import_new"), {"kind": kind, "file": SimpleUploadedFile(name, data)})


def uploaded(client, content=TWO, **options):
    answer = send(client, content, **options)
    assert answer.status_code == 302, errors_of(answer)
    return Upload.objects.latest("pk")


def errors_of(answer):
    return re.sub(r"\s+", " ", " ".join(re.findall(r"errorlist[^>]*>(.*?)</ul>", answer.content.decode(), re.S)))


def suggested(client, upload):
    """The mapping form as it is offered."""
    form = client.get(reverse("customers:import_mapping", args=[upload.pk])).context["form"]
    return {name: form.initial.get(name) or "" for name in form.fields}


def tried_out(client, upload, **changes):
    answer = client.post(reverse("customers:import_mapping", args=[upload.pk]), suggested(client, upload) | changes)
    assert answer.status_code == 302, errors_of(answer)
    return worked_off(upload)


def worked_off(upload):
    engine.work_off(steps=browser_imports.STEPS, seconds=60)
    return Upload.objects.select_related("job", "batch").get(pk=upload.pk)


def imported(client, content=TWO, **options):
    upload = tried_out(client, uploaded(client, content, **options))
    client.post(reverse("customers:import_start", args=[upload.pk]))
    return worked_off(upload)


def page_of(client, upload):
    return client.get(reverse("customers:import_detail", args=[upload.pk]), follow=True).content.decode()


def test_it_works(manager):
    upload = tried_out(manager, uploaded(manager))
    assert (upload.stage, Order.objects.count(), ImportBatch.objects.count()) == (Stage.CHECKED, 0, 0)
    counts = upload.findings["report"]
    assert (counts["read"], counts["orders_created"], counts["customers_created"], counts["net_cents"]) == (
        2,
        2,
        2,
        1250,
    )
    assert (upload.findings["first_day"], upload.findings["last_day"]) == ("2024-01-01", "2024-02-03")
    assert [row["order"] for row in upload.findings["created"]] == ["1", "2"]
    manager.post(reverse("customers:import_start", args=[upload.pk]))
    upload = worked_off(upload)
    assert (upload.stage, upload.batch.state, upload.batch.report["net_cents"]) == (Stage.DONE, "done", 1250)
    assert {c.name for c in Customer.objects.all()} == {"Ann", "Bob"}
    shown = page_of(manager, upload)
    assert "orders.csv" in shown
    assert "Mia" in shown


def test_the_same_file_again_changes_nothing_and_says_when_it_was_imported(manager):
    imported(manager)
    upload = tried_out(manager, uploaded(manager))
    assert (upload.findings["report"]["orders_created"], upload.findings["report"]["orders_unchanged"]) == (0, 2)
    assert "This very file was imported before" in page_of(manager, upload)
    assert (
        "This very file was imported before"
        in manager.get(reverse("customers:import_mapping", args=[upload.pk])).content.decode()
    )
    other = tried_out(manager, uploaded(manager, TWO.replace("7.50", "8.50")))
    assert "imported before" not in page_of(manager, other)


def test_a_change_is_shown_as_it_was_and_as_it_will_be(manager):
    imported(manager)
    upload = tried_out(manager, uploaded(manager, TWO.replace("7.50", "8.50")))
    assert upload.findings["changed"] == [{"name": "2", "fields": [["net_cents", 750, 850]]}]
    assert Order.objects.get(external_id="2").net_cents == 750
    assert re.search(r"Net:</span>\s*<del>\$7.50</del> → <ins>\$8.50</ins>", page_of(manager, upload))


def test_rejected_rows_have_their_line_and_reason_and_can_be_downloaded(manager):
    upload = tried_out(manager, uploaded(manager, TWO + "=c,31.02.2024,1,3,=cmd\n"))
    assert upload.findings["rejected"] == [
        {"line": 4, "reason": "line 4, date: “31.02.2024” is not a date; expected YYYY-MM-DD"}
    ]
    assert "31.02.2024" in page_of(manager, upload)
    answer = manager.get(reverse("customers:import_rejects", args=[upload.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[1].startswith("'=c,31.02.2024,1,3,'=cmd,orders.csv,4,date")
    assert "attachment" in answer["Content-Disposition"]


class TestMapping:
    def test_german_columns_are_suggested(self, manager):
        upload = uploaded(manager, "Kundennr;Bestelldatum;Betrag\n7;31.01.2024;12,50\n")
        assert {name: field for name, field in suggested(manager, upload).items() if name.startswith("column")} == {
            "column_0": "customer_id",
            "column_1": "date",
            "column_2": "amount",
        }
        assert tried_out(manager, upload).findings["report"]["net_cents"] == 1250

    def test_a_field_for_two_columns_is_refused_by_name(self, manager):
        upload = uploaded(manager)
        entered = suggested(manager, upload) | {"column_4": "customer_id"}
        answer = manager.post(reverse("customers:import_mapping", args=[upload.pk]), entered)
        assert answer.status_code == 422
        assert "“Customer number” is chosen for two columns: “customer_id” and “name”." in errors_of(answer)
        assert not Job.objects.exists()

    def test_a_field_that_is_missing_is_named(self, manager):
        upload = uploaded(manager)
        entered = suggested(manager, upload) | {"column_1": ""}
        answer = manager.post(reverse("customers:import_mapping", args=[upload.pk]), entered)
        assert "No column is read as “Date of the order” yet. Choose it." in errors_of(answer)

    def test_what_is_left_out_is_left_out(self, manager):
        """Also a column that would be found by its name."""
        upload = uploaded(manager)
        upload = tried_out(manager, upload, column_4="")
        assert [row["customer"] for row in upload.findings["created"]] == ["", ""]

    def test_two_columns_of_one_name_are_refused(self, manager):
        upload = uploaded(manager, "customer_id,date,amount,Amount\na,2024-01-01,5,6\n")
        answer = manager.post(reverse("customers:import_mapping", args=[upload.pk]), suggested(manager, upload))
        assert "columns 3 and 4 are both called “amount”" in errors_of(answer)

    def test_ambiguous_dates_are_asked_for(self, manager):
        content = "customer_id,date,amount\na,03/04/2024,5\n"
        upload = uploaded(manager, content)
        asked = "Dates such as 03/04/2025 can be read in two ways here"
        assert asked in manager.get(reverse("customers:import_mapping", args=[upload.pk])).content.decode()
        assert tried_out(manager, upload, dates="day").findings["first_day"] == "2024-04-03"
        clear = uploaded(manager, content + "a,31/04/2024,5\n")
        assert asked not in manager.get(reverse("customers:import_mapping", args=[clear.pk])).content.decode()

    def test_a_preset_is_recognised(self, manager):
        upload = uploaded(manager, "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,"
                          "Lineitem price\n#1,a@example.com,paid,2024-01-02 15:04:05 -0500,2,Mug,5.00\n")  # fmt: skip
        assert (upload.preset, upload.source) == ("shopify", "shopify")
        assert tried_out(manager, upload).findings["report"]["net_cents"] == 1000


class TestUndo:
    def test_it_says_what_goes_and_takes_it_back(self, manager):
        batch = imported(manager).batch
        shown = manager.get(reverse("customers:import_undo", args=[batch.pk]))
        assert {str(row["label"]): row["created"] for row in shown.context["goes"]} == {
            "Customers": 2,
            "Orders": 2,
            "Products": 1,
        }
        manager.post(reverse("customers:import_undo", args=[batch.pk]))
        assert (
            "It is being taken back" in manager.get(reverse("customers:import_batch", args=[batch.pk])).content.decode()
        )
        engine.work_off(steps=browser_imports.STEPS, seconds=60)
        batch.refresh_from_db()
        assert (batch.state, Order.objects.count(), Customer.objects.count()) == ("undone", 0, 0)
        assert "It was taken back" in manager.get(reverse("customers:import_batch", args=[batch.pk])).content.decode()

    def test_the_obstacle_is_named(self, manager):
        first = imported(manager).batch
        imported(manager, TWO.replace("7.50", "8.50"))
        answer = manager.get(reverse("customers:import_undo", args=[first.pk]))
        assert "was changed by import" in answer.content.decode()
        assert "btn-danger" not in answer.content.decode()

    def test_an_obstacle_that_comes_between_is_said_after(self, manager):
        first = imported(manager).batch
        manager.post(reverse("customers:import_undo", args=[first.pk]))
        Order.objects.filter(external_id="2").update(batch=None)  # edited by hand
        engine.work_off(steps=browser_imports.STEPS, seconds=60)
        first.refresh_from_db()
        assert first.state == "done"
        assert first.undo_job.state == Job.State.DEAD
        assert "was changed later" in manager.get(reverse("customers:import_batch", args=[first.pk])).content.decode()

    def test_twice_at_once_is_once(self, manager):
        batch = imported(manager).batch
        for _ in range(2):
            manager.post(reverse("customers:import_undo", args=[batch.pk]))
        assert Job.objects.filter(step=uploads.UNDO).count() == 1


class TestJobs:
    def test_a_job_that_waits_is_stopped_and_stays_so(self, manager):
        upload = uploaded(manager)
        manager.post(reverse("customers:import_mapping", args=[upload.pk]), suggested(manager, upload))
        manager.post(reverse("customers:import_stop", args=[upload.pk]))
        upload = worked_off(upload)
        assert (upload.stage, upload.job.attempts) == (Stage.STOPPED, 0)
        assert "It was stopped" in page_of(manager, upload)
        assert tried_out(manager, upload).stage == Stage.CHECKED, "and it can be tried again"

    def test_two_imports_wait_for_each_other_and_say_so(self, manager):
        first, second = uploaded(manager), uploaded(manager, TWO.replace("a,", "c,"))
        for upload in (first, second):
            manager.post(reverse("customers:import_mapping", args=[upload.pk]), suggested(manager, upload))
        assert "Waiting for a worker" in page_of(manager, first)
        assert "Waiting for another import to end" in page_of(manager, second)

    def test_an_import_of_the_command_line_is_waited_for(self, manager, monkeypatch):
        upload = uploaded(manager)
        job = engine.enqueue(step=Upload.CHECK, payload={"upload": upload.pk}, at=timezone.now(), bell=uploads.BELL)
        Upload.objects.filter(pk=upload.pk).update(job=job)
        Job.objects.update(state=Job.State.CLAIMED)
        Progress.objects.update(counts={"is_waiting": 1})
        assert "Waiting for another import to end" in page_of(manager, upload)

    def test_a_file_that_is_gone_meanwhile(self, manager):
        upload = uploaded(manager)
        manager.post(reverse("customers:import_mapping", args=[upload.pk]), suggested(manager, upload))
        uploads.path_of(upload).unlink()
        upload = worked_off(upload)
        assert (upload.stage, upload.job.attempts) == (Stage.FAILED, 1)
        assert "The uploaded file is not there any more. Upload it again." in page_of(manager, upload)
        answer = manager.get(reverse("customers:import_mapping", args=[upload.pk]), follow=True)
        assert "not there any more" in answer.content.decode()

    def test_what_is_at_work_is_not_begun_again(self, manager):
        upload = tried_out(manager, uploaded(manager))
        for _ in range(2):
            manager.post(reverse("customers:import_start", args=[upload.pk]))
        assert Job.objects.filter(step=Upload.IMPORT).count() == 1
        upload = worked_off(upload)
        manager.post(reverse("customers:import_start", args=[upload.pk]))
        assert ImportBatch.objects.count() == 1

    def test_an_import_needs_a_try_out(self, manager):
        upload = uploaded(manager)
        manager.post(reverse("customers:import_start", args=[upload.pk]))
        assert not Job.objects.exists()

    def test_the_part_that_is_asked_for_again_leads_on_when_it_is_done(self, manager):
        upload = tried_out(manager, uploaded(manager))
        manager.post(reverse("customers:import_start", args=[upload.pk]))
        part = manager.get(reverse("customers:import_detail", args=[upload.pk]), headers={"HX-Request": "true"})
        assert b"<html" not in part.content
        assert b"every 2s" in part.content
        upload = worked_off(upload)
        part = manager.get(reverse("customers:import_detail", args=[upload.pk]), headers={"HX-Request": "true"})
        assert part["HX-Redirect"] == reverse("customers:import_batch", args=[upload.batch_id])


class TestList:
    def test_who_when_what(self, manager):
        imported(manager)
        uploaded(manager, name="waits.csv")
        imports.load(rows=[], source="till", at=timezone.now())
        shown = manager.get(reverse("customers:import_list")).content.decode()
        for text in ("orders.csv", "Mia", "waits.csv", "Columns to choose", "till", "command line"):
            assert text in shown

    def test_nothing_yet(self, manager):
        assert "Nothing has been imported yet" in manager.get(reverse("customers:import_list")).content.decode()

    def test_queries_do_not_grow_with_the_list(self, manager, django_assert_max_num_queries):
        for amount in ("1.00", "2.00", "3.00"):
            imported(manager, TWO.replace("7.50", amount))
        with django_assert_max_num_queries(10):
            manager.get(reverse("customers:import_list"))

    def test_a_viewer_reads_it_and_does_nothing(self, client, manager):
        upload = imported(manager)
        client.force_login(User.objects.create_user("viewer@example.com", role="viewer"))
        shown = client.get(reverse("customers:import_batch", args=[upload.batch_id])).content.decode()
        assert "Take it back" not in shown
        assert client.get(reverse("customers:import_new")).status_code == 403
        assert client.get(reverse("customers:import_undo", args=[upload.batch_id])).status_code == 403
        assert client.get(reverse("customers:import_rejects", args=[upload.pk])).status_code == 403


class TestUpload:
    def test_the_role_is_judged_before_the_body_is_read(self, client, home):
        client.force_login(User.objects.create_user("viewer@example.com", role="viewer"))
        answer = send(client)
        assert answer.status_code == 403
        assert not answer.wsgi_request._read_started
        assert not (home / "uploads").exists()

    def test_without_a_token_nothing_is_kept(self, client, home):
        client.force_login(User.objects.create_user("manager@example.com", role="manager"))
        client.handler.enforce_csrf_checks = True
        client.cookies["csrftoken"] = "x" * 32
        assert send(client).status_code == 403
        assert list((home / "uploads").iterdir()) == []

    def test_too_large_is_said_and_not_kept(self, manager, home, monkeypatch):
        monkeypatch.setattr(uploads, "MOST_BYTES", 100)
        answer = send(manager, HEAD * 10)
        assert answer.status_code == 422
        assert "the limit is" in errors_of(answer)
        assert list((home / "uploads").iterdir()) == []

    def test_a_second_file_in_the_same_form_is_not_kept(self, manager, home):
        extra = SimpleUploadedFile("more.csv", b"x" * 100)
        file = SimpleUploadedFile("orders.csv", TWO.encode())
        manager.post(reverse("customers:import_new"), {"kind": "orders", "file": file, "other": extra})
        upload = Upload.objects.get()
        assert [path.name for path in (home / "uploads").iterdir()] == [upload.folder.hex]

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("Bestellungen März (1).csv", "Bestellungen_März_1.csv"),
            ("x" * 300 + ".csv", "x" * 110 + ".csv"),
            ("..", "file"),
            ("a\nb.csv", "ab.csv"),
        ],
    )
    def test_names_are_made_plain(self, manager, home, name, kept):
        assert uploads.plain_name(name.rsplit("/", 1)[-1]) == kept

    def test_it_can_be_discarded(self, manager, home):
        upload = uploaded(manager)
        manager.post(reverse("customers:import_discard", args=[upload.pk]))
        assert not Upload.objects.exists()
        assert list((home / "uploads").iterdir()) == []

    def test_what_was_imported_is_not_discarded(self, manager):
        upload = imported(manager)
        manager.post(reverse("customers:import_discard", args=[upload.pk]))
        assert Upload.objects.exists()
        assert uploads.path_of(upload).exists()


class TestTidy:
    def test_files_go_a_week_after_the_last_thing_that_happened(self, manager):
        upload = imported(manager)
        ended = upload.job.finished_at
        assert uploads.tidy(at=ended + timedelta(days=6)) == 0
        assert uploads.tidy(at=ended + timedelta(days=8)) == 1
        assert not uploads.folder_of(upload).exists()
        assert uploads.tidy(at=ended + timedelta(days=8)) == 0
        assert "orders.csv" in page_of(manager, upload)

    def test_not_while_it_is_at_work(self, manager):
        upload = uploaded(manager)
        manager.post(reverse("customers:import_mapping", args=[upload.pk]), suggested(manager, upload))
        assert uploads.tidy(at=timezone.now() + timedelta(days=30)) == 0
        assert uploads.path_of(upload).exists()

    def test_what_nobody_knows_goes_after_a_day(self, home):
        (home / "uploads").mkdir()
        (home / "uploads" / "left.part").write_text("x")
        assert uploads.tidy(at=timezone.now()) == 0
        assert uploads.tidy(at=timezone.now() + timedelta(days=2)) == 1


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def saved(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_sheet_can_be_chosen(manager):
    rows = [["customer_id", "date", "amount"], ["a", "2024-01-01", 5]]
    content = saved(workbook(Notes=[["nothing", "here"], ["to", "see"]], Orders=rows))
    upload = uploaded(manager, content, name="book.xlsx")
    assert upload.sheets == ["Notes", "Orders"]
    shown = manager.get(reverse("customers:import_mapping", args=[upload.pk]), {"sheet": "Orders"})
    form = shown.context["form"]
    entered = {name: form.initial.get(name) or "" for name in form.fields}
    manager.post(reverse("customers:import_mapping", args=[upload.pk]), entered)
    assert worked_off(upload).findings["report"]["net_cents"] == 500
