import io

import pytest
from django.core.management import CommandError, call_command

from customers.models import Company, Customer, ImportBatch
from customers.services import imports
from tests.customers import ledger
from tests.customers.rows import AT, order_row

pytestmark = pytest.mark.django_db

HEAD = "customer_id,name,email,phone,company,country,city,locale,time_zone,channel"


def run(tmp_path, *lines, **options):
    path, out, errors = tmp_path / "people.csv", io.StringIO(), io.StringIO()
    path.write_text("".join(f"{line}\n" for line in lines))
    call_command("import_customers", str(path), stdout=out, stderr=errors, **options)
    return out.getvalue(), errors.getvalue()


def test_it_works(tmp_path):
    out, _ = run(
        tmp_path,
        HEAD,
        "a,Ännie Łee,Ann@Example.com; ann2@example.com,0170 1234567,Lee Ltd,DE,Łódź,pl,Europe/Warsaw,fair",
        "b,Bob,,,Lee Ltd,,,,,",
    )
    assert "customers 2 created, 0 updated, 0 unchanged" in out
    ann = Customer.objects.get(name="Ännie Łee")
    assert sorted(ann.emails.values_list("address", flat=True)) == ["ann2@example.com", "ann@example.com"]
    assert ann.phones.get().number == "+491701234567"
    assert (ann.city, ann.locale, ann.time_zone, ann.channel) == ("Łódź", "pl", "Europe/Warsaw", "fair")
    assert (ann.sort_name, Company.objects.get().contacts.count()) == ("annie lee", 2)
    assert "lee ltd" in ann.search
    assert "ann2@example.com" in ann.search


def test_the_same_file_again_changes_nothing(tmp_path):
    lines = (HEAD, "a,Ann,a@b.de,,Lee,,,,,", "b,Bob,,,,,,,,")
    run(tmp_path, *lines)
    before = ledger.facts()
    out, _ = run(tmp_path, *lines)
    assert "customers 0 created, 0 updated, 2 unchanged" in out
    assert ledger.facts() == before


def test_what_is_empty_is_left_as_it_is_and_the_last_row_wins(tmp_path):
    run(tmp_path, HEAD, "a,Ann,,,,Italy,Rome,,,")
    out, _ = run(tmp_path, HEAD, "a,Anna,,,,,,,,", "a,,,,,,Milan,,,")
    assert "customers 0 created, 1 updated, 0 unchanged" in out
    assert Customer.objects.values_list("name", "country", "city").get() == ("Anna", "Italy", "Milan")


def test_an_address(tmp_path):
    run(tmp_path, "customer_id,address,zip,city,region", "a,Hauptstr. 5,01067,Dresden,Sachsen", "b,,,,")
    run(tmp_path, "customer_id,street,postcode,city", "a,Hauptstr. 7,,", "b,1 Quay Rd,T12,Cork")
    assert [one.place[:4] for one in Customer.objects.order_by("pk")] == [
        ("Hauptstr. 7", "01067", "Dresden", "Sachsen"),
        ("1 Quay Rd", "T12", "Cork", ""),
    ]


def test_people_and_orders_of_one_source_meet(tmp_path):
    run(tmp_path, HEAD, "ann,Ann,,,,,,,,", source="shop")
    imports.load(rows=[order_row(2)], source="shop", at=AT)
    assert Customer.objects.get().orders.count() == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Ann,,,,,,,,", "line 2, customer_id: no customer_id"),
        ("a,Ann,a@b,,,,,,,", "line 2, email: “a@b” is not an e-mail address"),
        ("a,Ann,,12,,,,,,", "line 2, phone: “12” is not a phone number"),
        ("a,Ann,,,,,,klingon!,,", "line 2, locale: “klingon!” is not a language"),
        ("a,Ann,,,,,,,Mars/North,", "line 2, time_zone: “Mars/North” is not a time zone"),
    ],
)
def test_it_refuses(tmp_path, line, reason):
    out, errors = run(tmp_path, HEAD, line)
    assert reason in errors
    assert "1 read, 0 imported, 1 rejected" in out
    assert not Customer.objects.exists()


def test_a_dry_run_leaves_nothing(tmp_path):
    run(tmp_path, HEAD, "a,Ann,,,,,,,,", dry_run=True)
    assert not Customer.objects.exists()
    assert not ImportBatch.objects.exists()


def test_a_file_without_ids_cannot_be_used(tmp_path):
    with pytest.raises(CommandError, match="no column for customer_id") as refused:
        run(tmp_path, "name,email", "Ann,a@b.de")
    assert refused.value.returncode == 2
