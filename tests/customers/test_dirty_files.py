"""Files as people send them: each row is imported or reported with its line, and nothing ends in a traceback."""

import gzip
import io
import json
import zipfile

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from customers.models import Identity, Order

pytestmark = pytest.mark.django_db

HEAD = "customer_id,date,amount\n"


def rows(*lines):
    return HEAD + "".join(f"{line}\n" for line in lines)


def bomb(size=150 << 20):
    return gzip.compress(HEAD.encode() + b"0" * size)


def sheet(*table):
    book = openpyxl.Workbook()
    for row in table:
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped_bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (150 << 20))
    return file.getvalue()


def imported(tmp_path, content, *options, name="orders.csv"):
    """Import the content; returns the report, and what was rejected as (line, field, reason)."""
    path, report, rejects = tmp_path / name, tmp_path / "report.json", tmp_path / "rejects.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    errors = io.StringIO()
    call_command(
        "import_orders", str(path), *options, report=report, rejects=rejects, stdout=io.StringIO(), stderr=errors
    )
    return json.loads(report.read_text()), errors.getvalue()


GOOD = "a,2024-01-01,5"

# name: (file, rows imported, what the rejected rows are said to be)
DIRTY = {
    "clean": (rows(GOOD), 1, []),
    "byte order mark": ("\ufeff" + rows(GOOD), 1, []),
    "utf-16 with mark": (rows("Łódź,2024-01-01,5").encode("utf-16"), 1, []),
    "utf-16 without mark": (rows("a,2024-01-01,5").encode("utf-16-le"), 1, []),
    "cp1252": (rows("Zoë,2024-01-01,5").encode("cp1252"), 1, []),
    "utf-8 with one broken line": (
        rows("Zoë,2024-01-01,5", "Łódź,2024-01-01,5", "X,2024-01-01,5").encode().replace(b"X", b"\xff"),
        2,
        ["line 4: holds bytes that are not text"],
    ),
    "NUL byte": (rows("a\0b,2024-01-01,5", GOOD), 1, ["line 2: holds a NUL byte"]),
    "short row": (rows("a,2024-01-01", GOOD), 1, ["line 2: 2 values where the header names 3 columns"]),
    "long row": (rows("a,2024-01-01,5,6", GOOD), 1, ["line 2: 4 values where"]),
    "trailing delimiters": (rows(GOOD + ",,"), 1, []),
    "empty lines": (HEAD + "\n\n" + GOOD + "\n,,\n\n", 1, []),
    "no final newline": (HEAD + GOOD, 1, []),
    "windows line ends": (rows(GOOD).replace("\n", "\r\n"), 1, []),
    "old mac line ends": (rows(GOOD).replace("\n", "\r"), 1, []),
    "semicolons": (rows(GOOD).replace(",", ";"), 1, []),
    "tabs": (rows(GOOD).replace(",", "\t"), 1, []),
    "excel's delimiter line": ("sep=;\n" + rows(GOOD).replace(",", ";"), 1, []),
    "formula as name": ("customer_id,date,amount,name\na,2024-01-01,5,=cmd|' /C calc'!A0\n", 1, []),
    "decimal comma": (rows(GOOD).replace(",", ";").replace("5", "1234,50"), 1, []),
    "grouped decimal comma": (rows(GOOD).replace(",", ";").replace("5", "1.234,50"), 1, []),
    "amount in two ways": (rows('a,2024-01-01,"1,234"'), 0, ["line 2, amount: “1,234” can be read in two ways"]),
    "NaN": (rows("a,2024-01-01,NaN", GOOD), 1, ["line 2, amount: “NaN” is not a number"]),
    "infinity": (rows("a,2024-01-01,Infinity", "b,2024-01-01,-inf"), 0, ["line 2, amount", "line 3, amount"]),
    "price in text": (rows("a,2024-01-01,five"), 0, ["line 2, amount: “five” is not a number"]),
    "huge amount": (rows("a,2024-01-01,99999999999"), 0, ["line 2, amount: “99999999999” is too large"]),
    "amount with the currency's sign": (rows("a,2024-01-01,$5.00", "b,2024-01-01,5 USD"), 2, []),
    "amount in another currency": (rows("a,2024-01-01,€5.00"), 0, ["line 2, amount: “€5.00” is in another currency"]),
    "another currency": (
        "customer_id,date,amount,currency\na,2024-01-01,5,EUR\nb,2024-01-01,5,usd\n",
        1,
        ["line 2, currency: “EUR” is not the business's currency USD"],
    ),
    "impossible date": (
        rows("a,31.02.2024,5", GOOD),
        1,
        ["line 2, date: “31.02.2024” is not a date; expected YYYY-MM-DD"],
    ),
    "a date in words": (rows("a,yesterday,5"), 0, ["line 2, date: “yesterday” is not a date"]),
    "a year out of range": (rows("a,0001-01-01,5", "b,9999-12-31,5"), 0, ["line 2, date", "line 3, date"]),
    "a time that is none": (rows("a,2024-01-01 25:61,5"), 0, ["line 2, date"]),
    "a date in two ways": (rows("a,01/02/2024,5"), 0, ["line 2, date: “01/02/2024” can be read in two ways"]),
    "day first by another row": (rows("a,01/02/2024,5", "a,31/01/2024,5"), 2, []),
    "no date": (rows("a,,5"), 0, ["line 2, date: no date"]),
    "no amount": (rows("a,2024-01-01,"), 0, ["line 2, amount: no amount"]),
    "emoji": ("customer_id,date,amount,name,product\n😀,2024-01-01,5,🧑‍🌾 Zoë,☕\n", 1, []),
    "one million characters in a cell": (
        f"customer_id,date,amount,product\na,2024-01-01,5,{'x' * 1_000_000}\nb,2024-01-01,5,y\n",
        1,
        ["line 2, product: “xxx"],
    ),
    "a long name": (f"customer_id,date,amount,name\na,2024-01-01,5,{'x' * 5000}\n", 1, []),
    "a quoted line break": (
        'customer_id,date,amount,name\na,2024-01-01,5,"Ann\nLee"\nb,bad,5,Bob\n',
        1,
        ["line 4, date"],
    ),
    "a quote that stays open": (
        rows('"a,2024-01-01,5', *(f"b,2024-01-{day:02},5" for day in range(1, 29))),
        28,
        ["line 2: a quote is opened and never closed"],
    ),
    "an inch sign": ('customer_id,date,amount,name\na,2024-01-01,5,5" pipe\nb,2024-01-01,5,Bob\n', 2, []),
    "equal rows of guests": (rows(",2024-01-01,5", ",2024-01-01,5"), 2, []),
    "duplicates of an order": (rows(GOOD, GOOD), 2, []),
    "a broken e-mail": ("customer_id,date,amount,email\na,2024-01-01,5,a@b\n", 1, []),
    "an unknown status": ("customer_id,date,amount,status\na,2024-01-01,5,lost\n", 0, ["line 2, status: “lost”"]),
    "rows of one order that disagree": (
        "customer_id,date,amount,order_id\na,2024-01-01,5,1\nb,2024-01-01,5,1\nc,2024-01-01,5,2\n",
        1,
        ["line 2, customer: “a, b” are different customers", "line 3, customer"],
    ),
    "quantity and amount of different signs": (
        "customer_id,date,amount,quantity\na,2024-01-01,5,-1\n",
        0,
        ["line 2, quantity: “-1” is negative, but the amount is not"],
    ),
    "only a header": (HEAD, 0, []),
}


@pytest.mark.parametrize(("content", "count", "reasons"), DIRTY.values(), ids=DIRTY.keys())
def test_each_row_is_imported_or_reported(tmp_path, content, count, reasons):
    report, errors = imported(tmp_path, content)
    assert (report["imported"], report["rejected"]) == (count, len(reasons)), errors
    assert report["read"] == report["imported"] + report["rejected"]
    for reason in reasons:
        assert f"rejected: orders.csv, {reason}" in errors
    rejected = (tmp_path / "rejects.csv").read_text().splitlines()
    assert len(rejected) - 1 >= len(reasons)


UNUSABLE = {
    "empty": (b"", "orders.csv is empty"),
    "only blanks": (b"\n  \n\n", "orders.csv is empty"),
    "missing column": (b"customer_id,amount\na,5\n", "orders.csv, line 1: no column for date"),
    "duplicate header": (b"customer_id,date,amount,Amount\n", "columns 3 and 4 are both called “amount”"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "is not a text file"),
    "a pdf": (b"%PDF-1.7\n1 0 obj\n", "is not a text file"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old .xls"),
    "a damaged workbook": (b"PK\x03\x04 and then nothing of the kind", "damaged workbook"),
    "damaged gzip": (gzip.compress(rows(GOOD).encode() * 500)[:60], "damaged gzip"),
    "a gzip bomb": (bomb(), "unpacks to more than"),
    "a zip bomb": (zipped_bomb(), "unpacks to"),
    "half a character of utf-16": (rows(GOOD).encode("utf-16")[:-1], "is not valid UTF-16 text"),
}


@pytest.mark.parametrize(("content", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_used_says_why_and_exits_with_2(tmp_path, content, reason):
    with pytest.raises(CommandError) as refused:
        imported(tmp_path, content)
    assert refused.value.returncode == 2
    assert reason in str(refused.value)
    assert not Order.objects.exists()


def test_a_sheet_is_read_as_a_table(tmp_path):
    content = sheet(
        ["customer_id", "date", "amount"], [17850.0, "2024-01-01", 5.25], ["b", "soon", 1], [None, None, None]
    )
    report, errors = imported(tmp_path, content, name="orders.xlsx")
    assert (report["imported"], report["rejected"], report["net_cents"]) == (1, 1, 525)
    assert "orders.xlsx, line 3, date: “soon” is not a date" in errors
    assert Identity.objects.get().external_id == "17850"


def test_a_bad_file_after_a_good_one_leaves_nothing_of_either(tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(rows(GOOD))
    bad.write_text("nothing\n")
    with pytest.raises(CommandError):
        call_command("import_orders", str(good), str(bad), stdout=io.StringIO(), stderr=io.StringIO())
    assert not Order.objects.exists()
