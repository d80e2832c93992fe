"""Birthdays: how they are written, kept and looked up."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from core.models import Edit
from customers import birthdays
from customers.models import Customer
from tests.factories import make_customer
from tests.forms import inputs, send


class TestReading:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("1990-03-14", "1990-03-14"),
            (" 1990-3-4 ", "1990-03-04"),
            ("03-14", "--03-14"),
            ("--03-14", "--03-14"),
            ("2-29", "--02-29"),
            ("1992-02-29", "1992-02-29"),
            ("", ""),
        ],
    )
    def test_it_works(self, text, kept):
        assert birthdays.read(text) == kept
        assert birthdays.read(birthdays.shown(kept)) == kept

    @pytest.mark.parametrize("text", ["1991-02-29", "02-30", "13-01", "1899-01-01", "14.3.1990", "soon", "1990-03"])
    def test_no_day(self, text):
        with pytest.raises(ValueError):
            birthdays.read(text)


class TestKeys:
    def test_a_day_like_others(self):
        assert birthdays.keys(date(2026, 3, 14)) == ["03-14"]

    def test_the_leap_day(self):
        assert birthdays.keys(date(2024, 2, 28)) == ["02-28"]
        assert birthdays.keys(date(2024, 2, 29)) == ["02-29"]
        assert birthdays.keys(date(2025, 2, 28)) == ["02-28", "02-29"]
        assert birthdays.keys(date(2100, 2, 28)) == ["02-28", "02-29"]

    @pytest.mark.parametrize("year", [2024, 2025, 2100])
    def test_everybody_has_one_a_year(self, year):
        days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
        found = [key for day in days if day.year == year for key in birthdays.keys(day)]
        assert len(found) == len(set(found)) == 366


@pytest.mark.django_db
class TestKept:
    @pytest.mark.parametrize("text", ["1990-03-14", "--02-29", ""])
    def test_it_works(self, text):
        assert Customer.objects.get(pk=make_customer(birthday=text).pk).birthday == text

    @pytest.mark.parametrize("text", ["03-14", "1990-02-30", "1990-13-01", "--04-31", "x"])
    def test_the_database_refuses_the_rest(self, text):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_customer(birthday=text)

    def test_a_person_of_the_shop_writes_it(self, agent):
        customer = make_customer(name="Ada", birthday="1990-03-14")
        address = reverse("customers:customer_edit", args=[customer.pk])
        assert inputs(agent.get(address))["birthday"] == ["1990-03-14"]
        assert send(agent, address, birthday="3-15").status_code == 302
        customer.refresh_from_db()
        assert customer.birthday == "--03-15"
        assert Edit.objects.get().changes == {"birthday": ["1990-03-14", "--03-15"]}
        assert b"This is no day." in send(agent, address, birthday="02-30").content

    def test_a_file_brings_it(self, tmp_path, capsys):
        path = tmp_path / "people.csv"
        path.write_text("customer_id,birthday\na,1990-03-14\nb,02-29\nc,14.03.1990\nd,soon\ne,\n")
        call_command("import_customers", str(path))
        assert list(Customer.objects.order_by("pk").values_list("birthday", flat=True)) == [
            "1990-03-14",
            "--02-29",
            "1990-03-14",
            "",
        ]
        assert "line 5, birthday: “soon” is not a date" in capsys.readouterr().err
        path.write_text("customer_id,birthday\na,\nb,03-01\n")
        call_command("import_customers", str(path))
        assert list(Customer.objects.order_by("pk").values_list("birthday", flat=True))[:2] == ["1990-03-14", "--03-01"]
