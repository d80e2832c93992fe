"""From the demo to one's own data: the account stays, the demo goes, and nothing else does."""

import pytest
from django.utils import timezone

from core import engine
from core.models import Business, Job, Role, User
from crm import own_data
from crm.demo import accounts
from customers.models import Customer, Order
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db

YOU = {"you-name": "Ada Admin", "you-email": "ada@shop.test", "you-password": "a very long one", "sure": "on"}


@pytest.fixture
def demo():
    make_business(name="Juniper & Oak", is_demo=True, currency="EUR")
    make_order(customer=make_customer(source="demo"), source="demo")
    accounts.create()


@pytest.fixture
def desk(client, demo):
    client.force_login(User.objects.get(email="admin@example.com"))
    return client


def work():
    return engine.work_off(steps=own_data.STEPS, seconds=30)


def test_it_works(desk):
    page = desk.get("/own-data/").content.decode()
    assert "1 customer of the demo" in page
    assert "5 sign-ins that everybody knows" in page
    assert desk.post("/own-data/", YOU).url == "/own-data/"
    assert "is being taken away" in desk.get("/own-data/").content.decode()
    assert work() == 1
    assert desk.get("/own-data/").url == "/welcome/"
    user = User.objects.get()
    assert (user.email, user.role, user.is_superuser) == ("ada@shop.test", Role.ADMIN, True)
    assert not Order.objects.exists()
    assert "Your business" in desk.get("/welcome/").content.decode()


def test_htmx_is_led_on_too(desk):
    desk.post("/own-data/", YOU)
    work()
    assert desk.get("/own-data/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/welcome/"


def test_what_came_from_elsewhere_stays(desk):
    make_order(customer=make_customer(source="till"), source="till")
    User.objects.create_user("own@shop.test", role=Role.AGENT)
    assert "1 order from elsewhere" in desk.get("/own-data/").content.decode()
    desk.post("/own-data/", YOU)
    work()
    assert Order.objects.get().source == "till"
    assert Customer.objects.count() == 1
    assert set(User.objects.values_list("email", flat=True)) == {"own@shop.test", "ada@shop.test"}
    assert not Business.objects.get().is_demo


def test_somebody_with_an_own_account_keeps_it(client, demo):
    user = User.objects.create_user("own@shop.test", "a long password", role=Role.ADMIN)
    client.force_login(user)
    assert client.get("/own-data/").context["you"] is None
    client.post("/own-data/", {"sure": "on"})
    work()
    assert User.objects.get() == user
    assert client.get("/welcome/").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sure": ""}, "required"),
        ({"you-password": "short"}, "too short"),
        ({"you-email": "admin@example.com"}, "has an account already"),
    ],
)
def test_without_a_tick_and_an_account_nothing_goes(desk, wrong, said):
    answer = desk.post("/own-data/", YOU | wrong)
    assert said in answer.content.decode()
    assert not Job.objects.exists()
    assert User.objects.count() == 5


def test_two_at_once_start_one_job(demo):
    by = User.objects.get(email="admin@example.com")
    own_data.start(by=by, admin=None, at=timezone.now())
    with pytest.raises(own_data.NoDemo):
        own_data.start(by=by, admin=None, at=timezone.now())
    assert Job.objects.count() == 1


def test_a_real_shop_has_nothing_to_take_away(client):
    make_business(is_demo=False)
    make_order()
    client.force_login(User.objects.create_user("own@shop.test", role=Role.ADMIN))
    assert client.get("/own-data/").url == "/welcome/"
    assert client.post("/own-data/", YOU).url == "/welcome/"
    assert Order.objects.exists()
    assert not Job.objects.exists()


def test_a_manager_may_not(client, demo):
    client.force_login(User.objects.get(email="manager@example.com"))
    assert client.post("/own-data/", YOU).status_code == 403


def test_a_failed_one_says_so_and_can_be_tried_again(desk, monkeypatch):
    desk.post("/own-data/", YOU)

    def fail():
        raise engine.Refused("The disk is full.")

    monkeypatch.setattr(own_data.clearing, "clear", fail)
    work()
    page = desk.get("/own-data/").content.decode()
    assert "Nothing was taken away." in page
    assert Order.objects.exists()
