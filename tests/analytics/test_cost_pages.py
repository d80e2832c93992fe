"""Costs: the table, unit costs, files in and out, and who may do what."""

import re
from datetime import date
from decimal import Decimal
from io import BytesIO
from threading import Barrier, Thread, local

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from analytics.models import ChannelMonth
from analytics.selectors import costs, worth
from core.models import Edit, Role, User
from customers.models import AcquisitionCost, UnitCost
from customers.services import spend
from customers.services.spend import Spend
from tests.desk import make_night, score
from tests.factories import make_business, make_customer
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
JANUARY, MAY = date(2026, 1, 1), date(2026, 5, 1)
PAGE = "/costs/?year=2026"


@pytest.fixture(autouse=True)
def euros(db):
    make_business(currency="EUR", time_zone="Europe/Berlin")


def won(channel="ads", month=JANUARY, customers=3):
    ChannelMonth.objects.create(channel=channel, month=month, customers=customers, amount_cents=0)


def square(channel="ads", month=JANUARY):
    return costs.name(channel, month)


def test_profit_of_everybody_stands_below(desk):
    rows = [
        score(
            make_customer(), historic_cents=16_000, acquisition_cents=3_000, cost_cents=1_000, expected_cost_cents=500
        ),
        score(make_customer(), historic_cents=4_000, acquisition_cents=1_000),
    ]
    make_night(*rows)
    page = words(desk.get(PAGE))
    for label, amount in {"Margin to date": "€200", "Acquisition": "−€40", "Profit to date": "€150"}.items():
        assert re.search(rf"{label}\s*(</a>)?\s*</dt>\s*<dd>\s*{amount}\s*</dd>", page), label


def test_a_night_from_before_costs_were_counted_shows_no_profit(desk):
    run = make_night(score(make_customer()))
    del run.stats["all"]["cost_cents"]
    run.save(update_fields=["stats"])
    assert worth.of_night(run) is None
    assert "Profit of all customers" not in words(desk.get(PAGE))


def test_before_the_first_night_there_is_none_either(desk):
    assert "Profit of all customers" not in words(desk.get(PAGE))


def amounts():
    return {(row.channel, row.month): row.amount_cents for row in AcquisitionCost.objects.all()}


def words(response):
    return " ".join(response.content.decode().split())


def bring(browser, text, name="spend.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    return browser.post("/costs/import/", {"file": SimpleUploadedFile(name, data)}, follow=True)


class TestTable:
    def test_it_works(self, desk):
        won()
        response = send(desk, PAGE, **{square(): "1.234,50", square("ads", MAY): "7"})
        assert response.url == "/costs/?year=2026"
        assert amounts() == {("ads", JANUARY): 123_450, ("ads", MAY): 700}
        page = words(desk.get(PAGE))
        assert "3 new, €411.50 each" in page
        assert "unassigned" in page
        assert inputs(desk.get(PAGE))[square()] == ["1234.50"]

    def test_an_empty_input_takes_the_amount_away_and_zero_does_not(self, desk):
        spend.write(cells={("ads", JANUARY): Spend(amount_cents=100), ("ads", MAY): Spend(amount_cents=100)})
        send(desk, PAGE, **{square(): "", square("ads", MAY): "0"})
        assert amounts() == {("ads", MAY): 0}

    def test_a_note_stays_when_the_amount_changes(self, desk):
        spend.write(cells={("ads", JANUARY): Spend(amount_cents=100, note="Fair")})
        send(desk, PAGE, **{square(): "2"})
        assert AcquisitionCost.objects.get().note == "Fair"

    def test_a_channel_that_no_order_names(self, desk):
        response = desk.get(PAGE + "&channel=Radio")
        desk.post(PAGE, inputs(response, **{square("Radio"): "50"}))
        assert amounts() == {("Radio", JANUARY): 5_000}
        assert "Radio" in words(desk.get(PAGE))

    def test_spend_of_unknown_channels(self, desk):
        won(channel="")
        send(desk, PAGE, **{square(""): "9"})
        assert amounts() == {("", JANUARY): 900}
        assert "Channel unknown" in words(desk.get(PAGE))

    def test_in_a_month_with_an_entry_everybody_counts_as_in_the_key_figure(self, desk):
        won(customers=3)
        won(channel="walk-in", customers=7)
        won(channel="walk-in", month=MAY, customers=40)
        send(desk, PAGE, **{square(): "30"})
        grid = costs.grid(year=2026)
        assert (grid.whole.amount_cents, grid.whole.customers, grid.whole.per_customer_cents) == (3_000, 10, 300)
        assert [column.customers for column in grid.columns if column.amount_cents is not None] == [3]

    def test_nothing_known_yet(self, desk):
        assert "No channel is known yet" in words(desk.get(PAGE))

    @pytest.mark.parametrize("text", ["-1", "a lot", "1.005", "1e9", "9999999999999"])
    def test_what_is_no_amount_is_refused_where_it_stands(self, desk, text):
        won()
        response = send(desk, PAGE, **{square(): text})
        assert response.status_code == 200
        assert 'class="errorlist"' in words(response)
        assert inputs(response)[square()] == [text]
        assert amounts() == {}

    @pytest.mark.parametrize("year", ["", "1", "9999", "x"])
    def test_a_strange_year_is_this_one(self, desk, year):
        assert desk.get(f"/costs/?year={year}").status_code == 200

    def test_whole_currencies_have_no_cents(self, desk):
        make_business(currency="JPY")
        won()
        send(desk, PAGE, **{square(): "1500"})
        assert amounts() == {("ads", JANUARY): 1500}
        assert "¥500 each" in words(desk.get(PAGE))

    def test_who_changed_it_is_kept(self, desk):
        won()
        send(desk, PAGE, **{square(): "5"})
        edit = Edit.objects.get(about="customers_acquisitioncost")
        assert (edit.changes["amount_cents"], edit.user.email) == ([None, 500], "manager@example.com")

    def test_queries_do_not_grow_with_the_table(self, desk, django_assert_max_num_queries):
        for number in range(20):
            won(channel=f"c{number}")
        with django_assert_max_num_queries(20):
            desk.get(PAGE)


class TestTwoAtOnce:
    def test_different_squares_are_both_kept(self, desk):
        won()
        first, second = desk.get(PAGE), desk.get(PAGE)
        desk.post(PAGE, inputs(first, **{square(): "1"}))
        desk.post(PAGE, inputs(second, **{square("ads", MAY): "2"}))
        assert amounts() == {("ads", JANUARY): 100, ("ads", MAY): 200}

    def test_the_same_square_asks(self, desk):
        won()
        first, second = desk.get(PAGE), desk.get(PAGE)
        desk.post(PAGE, inputs(first, **{square(): "1"}))
        response = desk.post(PAGE, inputs(second, **{square(): "2"}))
        assert "ads, January 2026" in words(response)
        assert "manager@example.com" in words(response)
        assert amounts() == {("ads", JANUARY): 100}
        desk.post(PAGE, inputs(response, **{f"keep-{square()}": "yours"}))
        assert amounts() == {("ads", JANUARY): 200}


class TestUnitCosts:
    def test_it_works(self, desk):
        desk.post("/costs/units/", {"order": "1,5", "email": "0.0004"})
        assert spend.unit_costs()["order"] == 150
        assert spend.unit_costs()["email"] == Decimal("0.04")
        assert UnitCost.objects.count() == 2
        assert 'value="0.0004"' in words(desk.get(PAGE))

    def test_what_is_no_cost_is_refused(self, desk):
        response = desk.post("/costs/units/", {"order": "-3", "sms": "999999999999"})
        assert response.status_code == 200
        assert words(response).count('class="errorlist"') == 2
        assert not UnitCost.objects.exists()

    def test_two_at_once_are_asked(self, desk):
        made_from = inputs_of_units(desk.get(PAGE))
        desk.post("/costs/units/", made_from | {"order": "1"})
        response = desk.post("/costs/units/", made_from | {"order": "2"})
        assert "Somebody else changed this" in words(response)
        assert spend.unit_costs()["order"] == 100


def inputs_of_units(response):
    return {"made_from": response.context["unit_form"]["made_from"].value()}


class TestFile:
    FILE = "channel,month,amount\nads,2026-01,100.50\nads,2026-01-15,9.50\n,2026-02,7\n"

    def test_it_works_and_again_changes_nothing(self, desk):
        assert "2 amounts are new" in words(bring(desk, self.FILE))
        assert amounts() == {("ads", JANUARY): 11_000, ("", date(2026, 2, 1)): 700}
        assert "0 amounts are new, 0 are changed, 2 are as before." in words(bring(desk, self.FILE))

    def test_it_replaces_what_it_names_and_nothing_else(self, desk):
        spend.write(cells={("ads", JANUARY): Spend(amount_cents=5), ("fair", JANUARY): Spend(amount_cents=6)})
        assert "1 amount is new, 1 is changed, 0 are as before." in words(bring(desk, self.FILE))
        assert amounts()["ads", JANUARY] == 11_000
        assert amounts()["fair", JANUARY] == 6

    @pytest.mark.parametrize(
        "month", ["2026-05", "05/2026", "5.2026", "202605", "May 2026", "2026-05-31", "31.05.2026"]
    )
    def test_months_as_people_write_them(self, desk, month):
        bring(desk, f"Channel;Date;Spend\nads;{month};3,50\n")
        assert amounts() == {("ads", MAY): 350}

    def test_a_workbook(self, desk):
        book, file = openpyxl.Workbook(), BytesIO()
        for row in (["channel", "month", "amount", "note"], ["ads", MAY, 12.5, "Fair"], ["ads", "2026-05", 1, "Rest"]):
            book.active.append(row)
        book.save(file)
        bring(desk, file.getvalue(), "spend.xlsx")
        assert amounts() == {("ads", MAY): 1_350}
        assert AcquisitionCost.objects.get().note == "Fair; Rest"

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("ads,2026-13,5", "line 3, month: “2026-13” is not a month; expected YYYY-MM or YYYY-MM-DD"),
            ("ads,soon,5", "line 3, month: “soon” is not a date"),
            ("ads,,5", "line 3, month: no month"),
            ("ads,2026-01,", "line 3, amount: no amount"),
            ("ads,2026-01,-5", "line 3, amount: “-5” is negative"),
            ("ads,2026-01,much", "line 3, amount: “much” is not a number"),
            ("ads,2026-01,NaN", "line 3, amount: “NaN” is not a number"),
            ("a" * 61 + ",2026-01,5", "is too long; expected at most 60 characters"),
            ("ads,2026-01", "line 3: 2 values where the header names 3 columns"),
        ],
    )
    def test_a_bad_row_is_named_and_nothing_is_written(self, desk, row, said):
        response = bring(desk, f"channel,month,amount\nads,2026-02,1\n{row}\n")
        assert response.status_code == 422
        assert said in words(response)
        assert "1 row cannot be used. Nothing was imported." in words(response)
        assert amounts() == {}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "The submitted file is empty."),
            ("month,amount\n2026-01,5\n", "no column for channel"),
            (b"%PDF-1.4 \x00\x01\x02", "is not a text file"),
        ],
    )
    def test_a_file_that_is_none_is_refused(self, desk, text, said):
        assert said in words(bring(desk, text))

    def test_what_is_exported_can_be_imported(self, admin):
        won()
        spend.write(cells={("ads", JANUARY): Spend(amount_cents=1_000, note="=cmd"), ("", MAY): Spend(amount_cents=5)})
        text = b"".join(admin.get("/costs/export/").streaming_content).decode("utf-8-sig")
        assert text.splitlines() == [
            "channel,month,amount,new_customers,cost_per_new_customer,note",
            ",2026-05,0.05,0,,",
            "ads,2026-01,10.00,3,3.33,'=cmd",
        ]
        assert "0 amounts are new, 0 are changed, 2 are as before." in words(bring(admin, text))
        assert amounts() == {("ads", JANUARY): 1_000, ("", MAY): 5}


class TestWho:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.MARKETER])
    def test_others_read_and_write_nothing(self, viewer, role):
        User.objects.update(role=role)
        browser = viewer
        browser.force_login(User.objects.get())
        won()
        spend.write(cells={("ads", JANUARY): Spend(amount_cents=12_345)})
        page = words(browser.get(PAGE))
        assert "€123.45" in page
        assert "<input" not in page.split("<table")[1].split("</table>")[0]
        for address in ("/costs/", "/costs/units/", "/costs/import/"):
            assert browser.post(address, {}).status_code == 403
        assert browser.get("/costs/import/").status_code == 403
        assert browser.get("/costs/export/").status_code == 403

    def test_a_manager_exports_only_with_the_right_to(self, desk):
        assert desk.get("/costs/export/").status_code == 403
        User.objects.update(may_export=True)
        desk.force_login(User.objects.get())
        assert desk.get("/costs/export/").status_code == 200


@pytest.mark.django_db(transaction=True)
class TestRace:
    """Two people save the same empty square at the same moment: one is told, nothing is lost."""

    def save_at_once(self, desk):
        won()
        made_from = inputs(desk.get(PAGE))
        session = desk.cookies
        answers = []

        def save(amount):
            browser = Client(raise_request_exception=False)
            browser.cookies = session
            try:
                answers.append(browser.post(PAGE, made_from | {square(): [amount]}))
            finally:
                connection.close()

        both = [Thread(target=save, args=(amount,)) for amount in ("1", "2")]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        return sorted(answer.status_code for answer in answers)

    def test_one_is_asked(self, desk):
        assert self.save_at_once(desk) == [200, 302]
        assert AcquisitionCost.objects.count() == 1

    def test_without_the_turn_nobody_is_asked(self, desk, monkeypatch):
        """Both have read what they judge by before either writes."""
        calls, both = local(), Barrier(2, timeout=60)

        def wait_for_each_other():
            calls.number = getattr(calls, "number", 0) + 1
            if calls.number == 2:  # the form was judged, the writing begins
                both.wait()

        monkeypatch.setattr(spend, "wait_for_turn", wait_for_each_other)
        with pytest.raises(AssertionError):
            self.test_one_is_asked(desk)
