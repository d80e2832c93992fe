"""Contracts from files: by the command, in the browser, again, wrong in every way, and taken back."""

import io
from datetime import date, datetime, timedelta

import openpyxl
import pghistory
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import engine
from core.models import Business, Change, User
from customers.models import Company, Contract, ContractTerm, Customer, Identity, ImportBatch, ImportedRow, Upload
from customers.models.upload import Stage
from customers.services import browser_imports, contract_files, contract_removal, contracts, undo
from tests.contracts import terms
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db

HEAD = "contract_id,customer_id,company,plan,starts_on,term_months,value,renewals,cancelled_on,reason"
STARTED = (timezone.localdate() - timedelta(days=800)).replace(day=1)  # two terms of a year are over, the third not


@pytest.fixture(autouse=True)
def ada():
    """Customer 42 of the shop, at Acme."""
    make_business(currency="EUR")
    company = Company.objects.create(source="shop", external_id="A1", name="Acme")
    customer = make_customer(name="Ada", company=company)
    Identity.objects.create(customer=customer, source="shop", external_id="42")
    return customer


def line(**changes):
    facts = {"contract_id": "K-1", "customer_id": "42", "company": "", "plan": "Care", "starts_on": f"{STARTED}"}
    facts |= {"term_months": "12", "value": "1200.00", "renewals": "1", "cancelled_on": "", "reason": ""}
    return ",".join((facts | changes).values())


def write(tmp_path, *lines, head=HEAD):
    path = tmp_path / "contracts.csv"
    path.write_text("".join(f"{text}\n" for text in (head, *lines)))
    return path


def run(path, **options):
    out, errors = io.StringIO(), io.StringIO()
    call_command("import_contracts", str(path), **{"source": "erp", "stdout": out, "stderr": errors} | options)
    return out.getvalue(), errors.getvalue()


def facts():
    return list(Contract.objects.order_by("pk").values()), list(ContractTerm.objects.order_by("pk").values())


def of(number):
    return Contract.objects.get(external_id=number)


class TestCommand:
    def test_it_works(self, tmp_path, ada):
        """€1,200 a year, renewed once; a company's for €90 a month that was cancelled."""
        report = tmp_path / "report.json"
        out, errors = run(
            write(
                tmp_path,
                line(),
                line(contract_id="K-2", customer_id="", company="acme", term_months="1", value="90", renewals="",
                     cancelled_on=f"{STARTED + timedelta(days=10)}", reason="moved"),
            ),
            report=report,
        )  # fmt: skip
        assert errors == ""
        assert "2 read, 2 imported, 0 rejected" in out
        assert "contracts 2 created, 0 updated, 0 unchanged" in out
        assert '"contracts_created": 2' in report.read_text()
        first, second = of("K-1"), of("K-2")
        assert (first.source, first.customer, first.company, first.plan) == ("erp", ada, None, "Care")
        assert [(number, value, outcome) for number, _from, _to, value, outcome in terms(first)] == [
            (1, 120_000, "renewed"),
            (2, 120_000, "pending"),
        ]
        assert (second.company.name, second.customer) == ("Acme", None)
        assert [(value, outcome) for *_, value, outcome in terms(second)] == [(9_000, "cancelled")]
        assert second.terms.get().reason == "moved"
        assert Business.objects.get().has_contracts
        assert Change.objects.filter(kind="contract").exists()
        assert ImportBatch.objects.get().report["contracts_created"] == 2

    def test_the_same_file_again_changes_nothing(self, tmp_path):
        path = write(tmp_path, line(), line(contract_id="K-2", cancelled_on=f"{STARTED}", renewals="0"))
        run(path)
        before, told = facts(), Change.objects.count()
        out, _errors = run(path)
        assert "contracts 0 created, 0 updated, 2 unchanged" in out
        assert facts() == before
        assert Change.objects.count() == told

    def test_another_value_and_a_renewal_are_a_change(self, tmp_path):
        run(write(tmp_path, line()))
        out, _errors = run(write(tmp_path, line(value="1300", renewals="2")))
        assert "contracts 0 created, 1 updated, 0 unchanged" in out
        assert [(value, outcome) for *_, value, outcome in terms(of("K-1"))] == [
            (120_000, "renewed"),
            (130_000, "renewed"),
            (130_000, "pending"),
        ]

    def test_what_is_empty_stays_as_it_is(self, tmp_path):
        head = "contract_id,customer_id,plan,starts_on,term_months,value,margin_rate,renews_automatically,renewals"
        run(write(tmp_path, f"K-1,42,Care,{STARTED},12,1200,0.35,yes,1", head=head))
        before = facts()
        out, _errors = run(write(tmp_path, f"K-1,42,,{STARTED},12,1200,,,", head=head))
        assert "0 updated, 1 unchanged" in out
        assert facts() == before
        assert (float(of("K-1").margin_rate), of("K-1").renews_automatically) == (0.35, True)

    @pytest.mark.parametrize(
        ("first", "last", "months", "length", "renewals"),
        [
            ("2024-03-01", "2025-02-28", "", 12, 0),
            ("2024-03-01", "2025-03-01", "", 12, 0),  # the day after, as many write it
            ("2024-03-01", "2026-02-28", "12", 12, 1),
            ("2024-01-31", "2024-02-28", "1", 1, 0),
            ("2024-01-31", "2024-05-30", "1", 1, 3),
        ],
    )
    def test_a_last_day_says_how_long_and_how_often(self, tmp_path, first, last, months, length, renewals):
        head = "contract_id,customer_id,plan,starts_on,ends_on,term_months,value"
        run(write(tmp_path, f"K-1,42,Care,{first},{last},{months},1200", head=head))
        contract = of("K-1")
        assert (contract.term_months, contract.terms.count() - 1) == (length, renewals)

    def test_a_dry_run_leaves_nothing(self, tmp_path):
        out, _errors = run(write(tmp_path, line()), dry_run=True)
        assert "contracts 1 created" in out
        assert not Contract.objects.exists()
        assert not Business.objects.get().has_contracts

    def test_dates_of_a_workbook_and_days_as_numbers(self, tmp_path):
        path = tmp_path / "contracts.xlsx"
        book = openpyxl.Workbook()
        book.active.append(["contract_id", "customer_id", "plan", "starts_on", "term_months", "value"])
        book.active.append(["K-1", 42, "Care", datetime(2025, 3, 1), 12, 1200.5])  # noqa: DTZ001 - as sheets have it
        book.active.append(["K-2", 42, "Care", 45717, 12, 1200])  # 1 March 2025, counted in days
        book.save(path)
        run(path)
        assert {one.starts_on for one in Contract.objects.all()} == {date(2025, 3, 1)}
        assert of("K-1").value_cents == 120_050

    def test_a_customer_number_of_another_source_is_enough_while_it_is_one_customer_s(self, tmp_path, ada):
        run(write(tmp_path, line()))
        assert of("K-1").customer == ada
        Identity.objects.create(customer=make_customer(), source="till", external_id="42")
        _out, errors = run(write(tmp_path, line(contract_id="K-2")))
        assert "customer_id: “42” is the number of several customers" in errors
        run(write(tmp_path, line(contract_id="K-3")), source="shop")
        assert of("K-3").customer == ada

    def test_a_rejects_file_can_be_mended_and_sent_again(self, tmp_path):
        rejects = tmp_path / "rejects.csv"
        out, _errors = run(write(tmp_path, line(), line(contract_id="K-2", value="-5")), rejects=rejects)
        assert "2 read, 1 imported, 1 rejected" in out
        assert rejects.read_text().splitlines()[0].endswith("reason,file,line,field,rejected_value,rejected_reason")
        rejects.write_text(rejects.read_text().replace(",-5,", ",5,", 1))
        out, _errors = run(rejects)
        assert "contracts 1 created, 0 updated, 0 unchanged" in out
        assert of("K-2").value_cents == 500

    @pytest.mark.parametrize("head", ["contract_id,customer_id,starts_on,value", "customer_id,starts_on,months,value"])
    def test_a_file_without_a_needed_column_is_refused(self, tmp_path, head):
        with pytest.raises(CommandError, match="no column for"):
            run(write(tmp_path, "1,2,3,4", head=head))
        assert not ImportBatch.objects.exists()


REFUSED = [
    ({"contract_id": ""}, "line 2, contract_id: no contract_id; expected the contract's own number"),
    ({"customer_id": ""}, "line 2, customer_id: no customer_id; expected whose contract it is, or a company"),
    ({"customer_id": "43"}, "line 2, customer_id: “43” is no customer's number here"),
    ({"company": "Zenith"}, "line 2, company: “Zenith” is no company here"),
    ({"plan": ""}, "line 2, plan: no plan; a new contract needs one"),
    ({"starts_on": ""}, "line 2, starts_on: no starts_on; expected YYYY-MM-DD"),
    ({"starts_on": "45717"}, "line 2, starts_on: “45717” is not a date; expected YYYY-MM-DD"),
    ({"starts_on": "2150-01-01"}, "line 2, starts_on: “2150-01-01” is after 2099"),
    ({"term_months": "0"}, "line 2, term_months: “0” is not a whole number from 1 to 120"),
    ({"term_months": "1.5"}, "line 2, term_months: “1.5” is not a whole number"),
    ({"term_months": ""}, "line 2, term_months: no term_months; expected the months of a term, or a last day"),
    ({"value": "-1"}, "line 2, value: “-1” is negative; expected zero or more"),
    ({"value": ""}, "line 2, value: no value; expected what a term is worth, net"),
    ({"value": "12 USD"}, "line 2, value: “12 USD” is in another currency; expected EUR"),
    ({"renewals": "9"}, "line 2, renewals: “9” is more often than can be"),
    ({"cancelled_on": "2098-01-01"}, "line 2, cancelled_on: “2098-01-01” is still to come"),
    ({"cancelled_on": "1999-01-01"}, "line 2, cancelled_on: “1999-01-01” is before the contract was agreed"),
]


class TestRefusals:
    @pytest.mark.parametrize(("changes", "reason"), REFUSED)
    def test_a_row_says_field_value_and_what_was_expected(self, tmp_path, changes, reason):
        out, errors = run(write(tmp_path, line(**changes), line(contract_id="K-9")))
        assert reason in errors
        assert "2 read, 1 imported, 1 rejected" in out
        assert [one.external_id for one in Contract.objects.all()] == ["K-9"]

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ("2024-03-01,2024-02-01,12", "ends_on: “2024-02-01” is before the start; expected a day after 2024-03-01"),
            ("2024-03-01,2025-03-15,12", "is not whole months after the start; expected a day such as 2025-02-28"),
            ("2024-03-01,2024-12-31,12", "is not the last day of a term of 12 months; expected 2025-02-28"),
            ("2000-03-01,2024-02-29,", "does not make 1 terms of at most 120 whole months"),
        ],
    )
    def test_last_days_that_cannot_be(self, tmp_path, cells, reason):
        head = "contract_id,customer_id,plan,value,starts_on,ends_on,term_months"
        _out, errors = run(write(tmp_path, f"K-1,42,Care,1200,{cells}", head=head))
        assert reason in errors
        assert not Contract.objects.exists()

    @pytest.mark.parametrize(
        ("column", "cell", "reason"),
        [
            ("currency", "USD", "currency: “USD” is not the business's currency EUR"),
            ("margin_rate", "35", "margin_rate: “35” is not a share; expected one from -1 to 1, such as 0.35"),
            ("renews_automatically", "maybe", "“maybe” is neither yes nor no"),
            ("agreed_on", "2030-01-01", "agreed_on: “2030-01-01” is after the start"),
            ("ends_on", "2030-01-01", "is not whole months"),
        ],
    )
    def test_other_columns(self, tmp_path, column, cell, reason):
        head = f"contract_id,customer_id,plan,value,starts_on,term_months,{column}"
        _out, errors = run(write(tmp_path, f"K-1,42,Care,1200,2024-03-03,12,{cell}", head=head))
        assert reason in errors
        assert not Contract.objects.exists()

    def test_a_number_twice_in_a_file(self, tmp_path):
        out, errors = run(write(tmp_path, line(), line(value="5")))
        assert "line 3, contract_id: “K-1” stands on line 2 already; expected each number once" in errors
        assert "2 read, 1 imported, 1 rejected" in out
        assert of("K-1").value_cents == 120_000

    def test_what_was_decided_here_stands(self, tmp_path):
        run(write(tmp_path, line()))
        contracts.cancel(contract_id=of("K-1").pk, number=2, on=timezone.localdate())
        _out, errors = run(write(tmp_path, line(renewals="2")))
        assert "contract_id: “K-1” was decided upon in another way here" in errors
        _out, errors = run(write(tmp_path, line(renewals="0")))
        assert "renewals: “0” is less often than is known" in errors
        later = STARTED + timedelta(days=1)
        _out, errors = run(write(tmp_path, line(starts_on=f"{later}")))
        assert f"starts_on: “{later}” is not the day on which this contract began" in errors
        assert [outcome for *_, outcome in terms(of("K-1"))] == ["renewed", "cancelled"]


class TestUndo:
    def test_what_was_made_goes_and_what_was_changed_is_as_before(self, tmp_path):
        run(write(tmp_path, line()))
        before = facts()
        run(write(tmp_path, line(value="1500", plan="More", renewals="2"), line(contract_id="K-2")))
        batch = ImportBatch.objects.latest("pk")
        assert ImportedRow.objects.filter(batch=batch, table="contract").count() == 2
        Change.objects.all().delete()
        undo.undo(batch_id=batch.pk)
        assert facts() == before
        assert set(Change.objects.values_list("kind", flat=True)) == {"contract"}
        undo.undo(batch_id=ImportBatch.objects.earliest("pk").pk)
        assert facts() == ([], [])
        assert not Business.objects.get().has_contracts

    def test_a_later_decision_by_hand_prevents_it(self, tmp_path):
        run(write(tmp_path, line()))
        user = User.objects.create_user("bo@example.com", name="Bo")
        with pghistory.context(user=user.pk):
            contracts.cancel(contract_id=of("K-1").pk, number=2, on=timezone.localdate())
        ImportBatch.objects.update(started_at=timezone.now() - timedelta(hours=1))  # a test is one moment to the base
        with pytest.raises(undo.CannotUndo, match="contract erp:K-1 was changed by Bo on"):
            undo.undo(batch_id=ImportBatch.objects.get().pk)
        assert Contract.objects.exists()

    def test_a_later_import_prevents_it(self, tmp_path):
        run(write(tmp_path, line()))
        run(write(tmp_path, line(value="1500")))
        with pytest.raises(undo.CannotUndo, match="contract erp:K-1 was changed by import"):
            undo.undo(batch_id=ImportBatch.objects.earliest("pk").pk)

    def test_a_contract_removed_meanwhile_is_gone_already(self, tmp_path):
        run(write(tmp_path, line(), line(contract_id="K-2")))
        user = User.objects.create_user("bo@example.com")
        with pghistory.context(user=user.pk):
            contract_removal.remove(contract_id=of("K-1").pk)
        ImportBatch.objects.update(started_at=timezone.now() - timedelta(hours=1))
        undo.undo(batch_id=ImportBatch.objects.get().pk)
        assert facts() == ([], [])


class TestBrowser:
    @pytest.fixture(autouse=True)
    def home(self, settings, tmp_path):
        settings.PERENNIAL_HOME = tmp_path

    @pytest.fixture
    def manager(self, client):
        client.force_login(User.objects.create_user("manager@example.com", role="manager"))
        return client

    GERMAN = "Vertragsnummer;Firma;Tarif;Vertragsbeginn;Vertragsende;Betrag\n{}"
    ROWS = "K-1;Acme;Pflege;01.03.2024;28.02.2025;1.200,00\nK-2;Nobody;Pflege;01.03.2024;28.02.2025;90,00\n"

    def uploaded(self, client, rows=ROWS):
        file = SimpleUploadedFile("vertraege.csv", self.GERMAN.format(rows).encode())
        client.post(reverse("customers:import_new"), {"kind": "contracts", "file": file})
        return Upload.objects.latest("pk")

    def tried_out(self, client, upload):
        url = reverse("customers:import_mapping", args=[upload.pk])
        form = client.get(url).context["form"]
        answer = client.post(url, {name: form.initial.get(name) or "" for name in form.fields})
        assert answer.status_code == 302, answer.context["form"].errors
        return self.worked_off(upload)

    def worked_off(self, upload):
        engine.work_off(steps=browser_imports.STEPS, seconds=60)
        return Upload.objects.select_related("job", "batch").get(pk=upload.pk)

    def test_columns_are_suggested_tried_out_imported_and_taken_back(self, manager):
        upload = self.tried_out(manager, self.uploaded(manager))
        assert (upload.stage, Contract.objects.count()) == (Stage.CHECKED, 0)
        assert upload.mapping == {
            "contract_id": "Vertragsnummer",
            "company": "Firma",
            "plan": "Tarif",
            "starts_on": "Vertragsbeginn",
            "ends_on": "Vertragsende",
            "value": "Betrag",
        }
        page = manager.get(reverse("customers:import_detail", args=[upload.pk])).content.decode()
        assert "New contracts" in page
        assert "line 3, company: “Nobody” is no company here" in page
        assert "€1,200.00" in page

        manager.post(reverse("customers:import_start", args=[upload.pk]))
        upload = self.worked_off(upload)
        assert [one.external_id for one in Contract.objects.all()] == ["K-1"]
        rejects = b"".join(manager.get(reverse("customers:import_rejects", args=[upload.pk])).streaming_content)
        assert b"Nobody" in rejects
        history = manager.get(reverse("customers:record_history", args=["contract", of("K-1").pk]))
        assert f"Import {upload.batch_id}" in history.content.decode()

        goes = manager.get(reverse("customers:import_undo", args=[upload.batch_id])).content.decode()
        assert "Contracts" in goes
        manager.post(reverse("customers:import_undo", args=[upload.batch_id]))
        self.worked_off(upload)
        assert not Contract.objects.exists()

    def test_examples_of_changes_name_fields_and_values(self, manager):
        for rows in (self.ROWS, self.ROWS.replace("1.200,00", "1.300,00").replace("Acme;Pflege", "Acme;Mehr")):
            upload = self.tried_out(manager, self.uploaded(manager, rows))
            page = manager.get(reverse("customers:import_detail", args=[upload.pk])).content.decode()
            manager.post(reverse("customers:import_start", args=[upload.pk]))
            self.worked_off(upload)
        assert "<del>€1,200.00</del>" in page
        assert "<ins>Mehr</ins>" in page

    def test_a_worker_that_dies_leaves_nothing(self, manager, monkeypatch):
        upload = self.tried_out(manager, self.uploaded(manager, self.ROWS.replace("Nobody", "Acme")))
        take = contract_files.Load.take

        def dying(self, row):
            if row.number == "K-2":
                raise OSError("The machine is gone.")
            take(self, row)

        monkeypatch.setattr(contract_files.Load, "take", dying)
        manager.post(reverse("customers:import_start", args=[upload.pk]))
        self.worked_off(upload)
        assert not Contract.objects.exists()
        assert not ImportBatch.objects.exists()

    def test_the_list_of_contracts_leads_here(self, manager, agent_of_the_desk):
        assert "imports/new/?kind=contracts" in manager.get("/contracts/").content.decode()
        asked = manager.get(reverse("customers:import_new") + "?kind=contracts").context["form"]
        assert asked["kind"].initial == "contracts"
        assert "kind=contracts" not in agent_of_the_desk.get("/contracts/").content.decode()

    @pytest.fixture
    def agent_of_the_desk(self):
        client = Client()
        client.force_login(User.objects.create_user("agent@example.com", role="agent"))
        return client


def test_a_killed_import_is_completed_by_the_same_file(tmp_path, monkeypatch):
    path, take = write(tmp_path, line(), line(contract_id="K-2")), contract_files.Load.take

    def dying(self, row):
        if row.number == "K-2":
            raise KeyboardInterrupt
        take(self, row)

    monkeypatch.setattr(contract_files.Load, "take", dying)
    with pytest.raises(KeyboardInterrupt):
        run(path)
    monkeypatch.undo()
    out, _errors = run(path)
    assert "contracts 1 created, 0 updated, 1 unchanged" in out
    assert Customer.objects.count() == 1
