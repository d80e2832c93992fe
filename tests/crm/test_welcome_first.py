"""The first page of an empty home: one token, one admin, one winner."""

import threading

import pytest
from django.db import connections

from core import first_run
from core.models import Business, Role, User
from tests.factories import make_business, make_order

pytestmark = pytest.mark.django_db

YOU = {"you-name": "Ada Admin", "you-email": "ada@shop.test", "you-password": "a very long one"}
BUSINESS = {
    "name": "Ada's shop",
    "kind": "both",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "prices_include_tax": "on",
    "margin_rate": "35",
    "discount_rate": "12.5",
    "churn_horizon_days": "60",
}


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.PERENNIAL_HOME = tmp_path
    return tmp_path


@pytest.fixture
def link():
    return f"/welcome/{first_run.token()}/"


def test_it_works(client, link):
    assert "Welcome to Perennial" in client.get(link).content.decode()
    answer = client.post(link, YOU | BUSINESS)
    assert (answer.status_code, answer.url) == (302, "/")
    user = User.objects.get()
    assert (user.email, user.name, user.role, user.is_superuser) == ("ada@shop.test", "Ada Admin", Role.ADMIN, True)
    row = Business.objects.get()
    assert (row.name, row.kind, row.time_zone, row.currency) == ("Ada's shop", "both", "Europe/Berlin", "EUR")
    assert (str(row.margin_rate), str(row.discount_rate), row.churn_horizon_days) == ("0.3500", "0.1250", 60)
    assert row.prices_include_tax
    assert "First steps" in client.get("/").content.decode()


def test_a_wrong_token_finds_nothing(client, link):
    assert client.get("/welcome/not-the-token/").status_code == 404
    assert client.post("/welcome/not-the-token/", YOU | BUSINESS).status_code == 404
    assert not User.objects.exists()


def test_without_a_token_in_the_home_none_fits(client, home):
    assert not first_run.fits("")
    assert client.get("/welcome/anything/").status_code == 404


def test_the_file_is_for_the_owner_alone(link, home):
    assert (home / "welcome_token").stat().st_mode & 0o077 == 0


def test_nobody_finds_it_once_there_is_an_admin(client, link):
    User.objects.create_user("eve@shop.test", "a long password", role=Role.ADMIN)
    assert client.get(link).status_code == 404
    assert client.post(link, YOU | BUSINESS).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"you-password": "short"}, "too short"),
        ({"you-password": "ada@shop.test"}, "too similar"),
        ({"you-email": "nobody"}, "valid email"),
        ({"time_zone": "Mars/Olympus"}, "valid choice"),
        ({"currency": "DEM"}, "valid choice"),
        ({"margin_rate": "NaN"}, "number"),
        ({"margin_rate": "140"}, "less than or equal to 100"),
        ({"discount_rate": "-1"}, "greater than or equal to 0"),
        ({"churn_horizon_days": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client, link, wrong, said):
    answer = client.post(link, YOU | BUSINESS | wrong)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not User.objects.exists()


def test_orders_that_are_there_already_keep_zone_and_currency(client, link):
    make_business(time_zone="UTC", currency="USD")
    make_order()
    client.post(link, YOU | BUSINESS)
    row = Business.objects.get()
    assert (row.name, row.time_zone, row.currency) == ("Ada's shop", "UTC", "USD")


def both_at_once():
    """Two people, two connections; what each of them got."""
    told, start = [], threading.Barrier(2)

    def begin(email):
        start.wait()
        try:
            told.append(first_run.begin(email=email, password="a very long one", name="", row={}).email)
        except first_run.AlreadyBegun:
            told.append("too late")
        finally:
            connections.close_all()

    pair = [threading.Thread(target=begin, args=[f"{name}@shop.test"]) for name in ("ada", "eve")]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    return told


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_one_wins(self):
        assert both_at_once().count("too late") == 1
        assert User.objects.count() == 1

    def test_without_the_lock_both_would(self, monkeypatch):
        """The protection taken away: both look before either writes."""
        Business.objects.get_or_create(id=1)
        looked = threading.Barrier(2)

        def look():
            is_open = not User.objects.exists()
            looked.wait()
            return is_open

        monkeypatch.setattr(first_run, "_hold", Business.objects.get)
        monkeypatch.setattr(first_run, "is_open", look)
        assert "too late" not in both_at_once()
        assert User.objects.count() == 2
