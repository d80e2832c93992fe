"""Files as people send them, through the browser: no crash, each row imported or reported, and plain words."""

import io
import zipfile

import openpyxl
import pytest
from openpyxl.styles import numbers as formats

from customers.models import Order, Upload
from customers.models.upload import Stage
from customers.services import uploads
from tests.customers.test_dirty_files import DIRTY, HEAD, UNUSABLE, rows
from tests.customers.test_import_pages import (  # noqa: F401 - fixtures among them
    errors_of,
    home,
    manager,
    page_of,
    saved,
    send,
    suggested,
    tried_out,
    uploaded,
    workbook,
    worked_off,
)

pytestmark = pytest.mark.django_db

ORDERS = ["customer_id", "date", "amount"]


@pytest.mark.parametrize(
    ("content", "count", "reasons"),
    [facts for name, facts in DIRTY.items() if name != "only a header"],
    ids=[name for name in DIRTY if name != "only a header"],
)
def test_each_row_is_usable_or_reported(manager, content, count, reasons):  # noqa: F811
    upload = uploaded(manager, content)
    report = tried_out(manager, upload, **_as_named(content)).findings["report"]
    assert (report["imported"], report["rejected"]) == (count, len(reasons))
    said = page_of(manager, worked_off(upload))
    assert "What the import would do" in said
    for reason in reasons[:10]:
        start = reason.split("“")[0].replace("'", "&#x27;")
        assert start in said


def _as_named(content):
    """The columns bear our own names, and are taken as these, whatever the values look like."""
    text = content.decode("utf-8-sig", "ignore") if isinstance(content, bytes) else content
    text = text.replace("\0", "").replace("\x00", "").lstrip("\ufeff")
    lines = [line for line in text.replace("\r", "\n").splitlines() if line.strip() and not line.startswith("sep=")]
    names = [name.strip("ÿþ\ufeff ") for name in lines[0].replace(";", ",").replace("\t", ",").split(",")]
    return {f"column_{number}": name for number, name in enumerate(names)}


@pytest.mark.parametrize(("content", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_used_says_why(manager, content, reason):  # noqa: F811
    """At once where the start of the file shows it, else by the dry run."""
    answer = send(manager, content + b"a,2024-01-01,5,6\n" * reason.startswith("columns"))
    if answer.status_code == 302:
        upload = Upload.objects.get()
        form = suggested(manager, upload)
        answer = manager.post(f"/imports/{upload.pk}/mapping/", form)
        if answer.status_code == 302:
            upload = worked_off(upload)
            assert upload.stage == Stage.FAILED
            assert reason in upload.job.error
            assert reason in page_of(manager, upload)
            return
    assert answer.status_code == 422
    said = {"no column for": "No column is read as “Date of the order” yet", "orders.csv is empty": "file is empty"}
    expected = next((words for part, words in said.items() if part in reason), reason)
    assert expected in errors_of(answer) or reason in errors_of(answer)
    assert not Order.objects.exists()


def test_a_header_only(manager):  # noqa: F811
    answer = send(manager, HEAD)
    assert "orders.csv has column names and no rows below them." in errors_of(answer)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.pdf", "orders"])
def test_the_ending_of_the_name_does_not_matter(manager, name):  # noqa: F811
    assert tried_out(manager, uploaded(manager, rows("a,2024-01-01,5"), name=name)).findings["report"]["imported"] == 1


def with_formulas(*, cached):
    """A workbook with a formula: with the value that a spreadsheet program saves beside it, or without."""
    content = saved(workbook(Orders=[ORDERS, ["a", "2024-01-01", "=2*3"], ["b", "2024-01-02", 5]]))
    if not cached:
        return content
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"<f>2*3</f><v />", b"<f>2*3</f><v>6</v>").replace(
                    b"<f>2*3</f><v></v>", b"<f>2*3</f><v>6</v>"
                )
                assert b"<v>6</v>" in data
            new.writestr(part, data)
    return file.getvalue()


class TestWorkbooks:
    def test_the_value_saved_with_a_formula_counts(self, manager):  # noqa: F811
        upload = tried_out(manager, uploaded(manager, with_formulas(cached=True), name="book.xlsx"))
        assert (upload.findings["report"]["net_cents"], upload.findings["rejected"]) == (1100, [])

    def test_a_formula_without_a_value_is_refused_by_name(self, manager):  # noqa: F811
        upload = tried_out(manager, uploaded(manager, with_formulas(cached=False), name="book.xlsx"), column_2="amount")
        assert upload.findings["report"]["net_cents"] == 500
        (reject,) = upload.findings["rejected"]
        assert reject["reason"].startswith("line 2, amount: “=2*3” is not a number")

    def test_merged_cells(self, manager):  # noqa: F811
        """The first cell of a merged block has the value, the others are empty: those rows say what they lack."""
        book = workbook(Orders=[ORDERS, ["a", "2024-01-01", 5], ["a", "2024-01-02", 6]])
        book["Orders"].merge_cells("B2:B3")
        upload = tried_out(manager, uploaded(manager, saved(book), name="book.xlsx"))
        assert upload.findings["report"]["imported"] == 1
        assert upload.findings["rejected"][0]["reason"] == "line 3, date: no date; expected YYYY-MM-DD"

    @pytest.mark.parametrize(("serial", "day"), [(45292, "2024-01-01"), (45292.5, "2024-01-01")])
    def test_dates_as_numbers(self, manager, serial, day):  # noqa: F811
        upload = tried_out(
            manager, uploaded(manager, saved(workbook(Orders=[ORDERS, ["a", serial, 5]])), name="b.xlsx")
        )
        assert (upload.findings["first_day"], upload.findings["rejected"]) == (day, [])

    def test_dates_as_numbers_since_1904(self, manager):  # noqa: F811
        book = workbook(Orders=[ORDERS, ["a", 43830, 5]])
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        upload = tried_out(manager, uploaded(manager, saved(book), name="b.xlsx"))
        assert upload.findings["first_day"] == "2024-01-01"

    def test_a_number_in_a_text_file_is_no_date(self, manager):  # noqa: F811
        upload = tried_out(manager, uploaded(manager, rows("a,45292,5")), column_1="date")
        assert upload.findings["rejected"][0]["reason"].startswith("line 2, date: “45292” is not a date")

    def test_cells_formatted_as_dates(self, manager):  # noqa: F811
        book = workbook(Orders=[ORDERS, ["a", 45292, 5]])
        book["Orders"]["B2"].number_format = formats.FORMAT_DATE_DDMMYY
        upload = tried_out(manager, uploaded(manager, saved(book), name="b.xlsx"))
        assert upload.findings["first_day"] == "2024-01-01"

    def test_a_row_far_down_is_not_walked_to(self, manager):  # noqa: F811
        """A row that says it is the two thousand millionth."""
        content = saved(workbook(Orders=[ORDERS, ["a", "2024-01-01", 5]]))
        answer = send(manager, _edited(content, b'r="2"', b'r="2000000000"'), name="far.xlsx")
        assert "has more than 1,048,576 rows" in errors_of(answer)

    def test_what_says_less_than_it_unpacks_to_is_damaged(self, manager):  # noqa: F811
        """A zip bomb that lies: the part is read as far as it is declared, and not further."""
        answer = send(manager, _lying(), name="bomb.xlsx")
        assert answer.status_code == 422
        assert "is not a readable XLSX workbook" in errors_of(answer) or "damaged" in errors_of(answer)

    def test_a_table_of_texts_that_would_fill_the_memory(self, manager):  # noqa: F811
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/sharedStrings.xml", b"0" * (65 << 20))
        assert "is too large for a workbook" in errors_of(send(manager, file.getvalue(), name="b.xlsx"))

    def test_a_locked_zip(self, manager):  # noqa: F811
        content = bytearray(saved(workbook(Orders=[ORDERS])))
        place = content.rindex(b"PK\x01\x02")
        content[place + 8] |= 1
        assert "is locked. Save it without a password." in errors_of(send(manager, bytes(content), name="b.xlsx"))

    def test_another_archive(self, manager):  # noqa: F811
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("orders.csv", rows("a,2024-01-01,5"))
        assert "is not a readable XLSX workbook" in errors_of(send(manager, file.getvalue(), name="orders.zip"))

    def test_a_sheet_that_is_not_there(self, manager):  # noqa: F811
        upload = uploaded(manager, saved(workbook(Orders=[ORDERS, ["a", "2024-01-01", 5]])), name="b.xlsx")
        answer = manager.get(f"/imports/{upload.pk}/mapping/", {"sheet": "Nothing"}, follow=True)
        assert "has no sheet “Nothing”. Its sheets are: Orders." in answer.content.decode()


def _edited(content, old, new):
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.infolist():
            data = before.read(part)
            after.writestr(part, data.replace(old, new) if "sheet1" in part.filename else data)
    return file.getvalue()


def _lying():
    """The sheet's size in the directory is a hundredth of what it is."""
    content = saved(workbook(Orders=[ORDERS, *[["a", "2024-01-01", n] for n in range(20_000)]]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    return content.replace(size.to_bytes(4, "little"), (size // 100).to_bytes(4, "little"))


def test_the_tab_is_closed_in_the_middle(manager, home):  # noqa: F811
    """Half a body: the upload breaks off, and nothing of it is kept."""
    whole = b'--b\r\nContent-Disposition: form-data; name="file"; filename="o.csv"\r\n\r\n' + b"x" * 1000
    body = io.BytesIO(whole)
    answer = manager.generic("POST", "/imports/new/", body.read(), content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 422
    assert not Upload.objects.exists()
    assert list(uploads.root().iterdir()) == []
