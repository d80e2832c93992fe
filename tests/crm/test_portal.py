"""The customers' own pages: what they say, what they do, and that they show nobody else's."""

import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from core.models import CUSTOMER, User
from customers.models import Customer, Email, Phone, PortalAccess
from loyalty.models import Account, Action, Programme, Redemption, Reward, Tier, TierNotice
from loyalty.services import points
from tests.factories import make_business, make_customer, make_order, make_refund

pytestmark = pytest.mark.django_db
ROUTES = ("", "rewards/", "offers/", "events/", "friends/", "points/", "orders/", "profile/", "profile/address/")


@pytest.fixture(autouse=True)
def shop():
    return make_business(name="Juniper & Oak", currency="EUR")


@pytest.fixture
def programme():
    made, _ = Programme.objects.update_or_create(id=1, defaults={"opened_at": timezone.now(), "name": "Oak club"})
    return made


def make_person(name, address):
    customer = make_customer(name=name)
    Email.objects.create(customer=customer, address=address)
    user = User.objects.create_user(address, role=CUSTOMER)
    PortalAccess.objects.create(user=user, customer=customer, address=address, made_at=timezone.now())
    return customer


def signed_in(customer):
    client = Client()
    client.force_login(User.objects.get(portal__customer=customer))
    return client


@pytest.fixture
def ada():
    return make_person("Ada Lovelace", "ada@example.com")


@pytest.fixture
def eve():
    return make_person("Eve Else", "eve@example.com")


@pytest.fixture
def client(ada):
    return signed_in(ada)


def earn(customer, number, *, key=None, days_ago=0, active_in=None, expires_in=None):
    now = timezone.now() - timedelta(days=days_ago)
    return points.earn(
        customer_id=customer.pk,
        points=number,
        key=key or f"test:{customer.pk}:{number}:{days_ago}:{active_in}",
        at=now,
        active_at=None if active_in is None else now + timedelta(days=active_in),
        expires_at=None if expires_in is None else now + timedelta(days=expires_in),
    )


def make_reward(**fields):
    return Reward.objects.create(**{"name": "A mug", "kind": "product", "cost_points": 100} | fields)


def read(client, path):
    """The words of a page."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    main = answer.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def token_of(client, reward):
    page = client.get(f"/me/rewards/{reward.pk}/").content.decode()
    return re.search(r'name="token" value="([^"]+)"', page)[1]


class TestHome:
    def test_it_tells_the_balance_what_comes_and_what_goes(self, client, ada, programme):
        earn(ada, 1_200, expires_in=30)
        earn(ada, 80, active_in=10)
        page = read(client, "/me/")
        assert "You can spend 1,200 points" in page
        coming = timezone.localdate() + timedelta(days=10)
        going = timezone.localdate() + timedelta(days=30)
        assert f"80 more from {date_format(coming)} on" in page
        assert f"1,200 to spend by {date_format(going)}" in page

    def test_points_that_expired_a_minute_ago_are_not_there_though_nobody_posted_it(self, client, ada, programme):
        earn(ada, 500, days_ago=10, expires_in=9)
        assert Account.objects.get().balance == 500
        assert "You can spend 0 points" in read(client, "/me/")

    def test_rewards_within_reach_and_those_almost(self, client, ada, programme):
        make_reward()
        make_reward(name="A lamp", cost_points=400)
        earn(ada, 120)
        page = read(client, "/me/")
        assert "A mug 100 points Redeem" in page
        assert "A lamp 280 points more" in page
        assert "A lamp 280 points more" in read(client, "/me/rewards/")

    def test_the_newest_notice_stays_until_it_is_read_and_those_before_it_count_as_seen(self, client, ada, programme):
        for rank, name in enumerate(("Silver", "Gold"), 1):
            tier = Tier.objects.create(name=name, rank=rank, threshold=100 * rank)
            TierNotice.objects.create(customer=ada, kind="rose", tier=tier, key=f"move:{rank}", at=timezone.now())
        page = read(client, "/me/")
        assert "You have reached Gold." in page
        assert "Silver" not in page.partition("I have read it")[0]
        client.post("/me/notices/seen/")
        assert "You have reached" not in read(client, "/me/")

    def test_one_point_has_its_own_name(self, client, ada, programme):
        earn(ada, 1)
        assert "You can spend 1 point " in read(client, "/me/")
        Programme.objects.update(point_name="bean", points_name="beans")
        assert "You can spend 1 bean." in read(client, "/me/rewards/")
        earn(ada, 4)
        assert "You can spend 5 beans." in read(client, "/me/rewards/")

    def test_a_tier_for_everybody_asks_for_an_order_and_not_for_nothing(self, client, programme):
        Tier.objects.create(name="Bronze", rank=1, threshold=0)
        told = read(client, "/me/")
        assert "The first order brings Bronze." in told
        assert "to reach Bronze" not in told

    def test_without_a_programme_there_are_orders_and_no_points(self, client, ada):
        make_order(customer=ada, external_id="A-7", value_cents=4_200)
        page = read(client, "/me/")
        assert "no loyalty programme" in page
        assert "A-7" in page
        assert "€42.00" in page
        assert "Rewards" not in client.get("/me/").content.decode()


class TestRedeeming:
    def test_one_tap_and_a_confirmation_give_a_code_that_survives_a_refresh(self, client, ada, programme):
        reward = make_reward()
        earn(ada, 250)
        assert "It takes 100 points and leaves you 150." in read(client, f"/me/rewards/{reward.pk}/")
        made = client.post(f"/me/rewards/{reward.pk}/", {"token": token_of(client, reward)})
        one = Redemption.objects.get()
        assert made.url == f"/me/redemptions/{one.pk}/"
        first, again = (client.get(made.url).content.decode() for _ in range(2))
        code = "-".join(one.code[place : place + 4] for place in range(0, 16, 4))
        assert code in first
        assert "<svg viewBox" in first
        assert 'style="' not in first.partition("<main")[2]
        assert first.partition("<main")[2] == again.partition("<main")[2]
        assert (one.customer, one.place, one.points) == (ada, Redemption.Place.PORTAL, 100)
        assert "You can spend 150 points" in read(client, "/me/")

    def test_the_same_token_twice_is_one_redemption(self, client, ada, programme):
        reward = make_reward()
        earn(ada, 250)
        token = token_of(client, reward)
        urls = {client.post(f"/me/rewards/{reward.pk}/", {"token": token}).url for _ in range(3)}
        assert len(urls) == 1
        assert Redemption.objects.count() == 1
        assert Account.objects.get().balance == 150

    def test_another_token_is_another_one_until_the_points_are_gone(self, client, ada, programme):
        reward = make_reward()
        earn(ada, 150)
        client.post(f"/me/rewards/{reward.pk}/", {"token": token_of(client, reward)})
        page = client.post(f"/me/rewards/{reward.pk}/", {"token": "00000000-0000-4000-8000-000000000001"})
        assert page.status_code == 200
        assert "There are 50 points to spend: not enough." in page.content.decode()
        assert Redemption.objects.count() == 1
        assert Account.objects.get().balance == 50

    def test_without_a_token_nothing_happens(self, client, ada, programme):
        reward = make_reward()
        earn(ada, 150)
        assert client.post(f"/me/rewards/{reward.pk}/", {}).status_code == 200
        assert not Redemption.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "said"),
        [({"cost_points": 900}, "650 more than you have"), ({"stock": 0}, "Out of stock"), ({}, "leaves you 150")],
    )
    def test_what_cannot_be_had_says_why(self, client, ada, programme, fields, said):
        reward = make_reward(**fields)
        earn(ada, 250)
        assert said in read(client, f"/me/rewards/{reward.pk}/")

    def test_a_reward_that_is_not_offered_is_not_there(self, client, ada, programme):
        reward = make_reward(archived_at=timezone.now())
        earn(ada, 250)
        assert client.get(f"/me/rewards/{reward.pk}/").status_code == 404
        assert client.post(f"/me/rewards/{reward.pk}/", {"token": "x"}).status_code == 404

    def test_without_a_programme_nothing_can_be_redeemed(self, client, ada):
        reward = make_reward()
        earn(ada, 250)
        assert client.get(f"/me/rewards/{reward.pk}/").status_code == 404

    def test_what_is_over_shows_its_end_and_no_square(self, client, ada, programme):
        reward = make_reward()
        earn(ada, 250)
        url = client.post(f"/me/rewards/{reward.pk}/", {"token": token_of(client, reward)}).url
        Redemption.objects.update(state="handed_over", handled_at=timezone.now())
        assert "It was handed over on" in read(client, url)
        assert "<svg viewBox" not in client.get(url).content.decode()


class TestStatement:
    def test_every_change_with_the_balance_after_it(self, client, ada, programme):
        """Earn 120, redeem 50, take 30 back: 40."""
        order = make_order(customer=ada, external_id="A-7")
        earned = points.earn(customer_id=ada.pk, points=120, key="e", at=timezone.now(), order_id=order.pk)
        points.redeem(customer_id=ada.pk, points=50, key="r", at=timezone.now(), reason="A mug")
        points.reverse(posting_id=earned.pk, points=30, key="b", at=timezone.now(), policy=points.Policy.WITHIN_BALANCE)
        page = read(client, "/me/points/")
        places = [page.index(words) for words in ("−30 balance 40", "−50 balance 70", "+120 balance 120")]
        assert places == sorted(places), "the latest first"
        assert "Order A-7" in page
        assert "A mug" in page
        assert "Taken back after a refund" in page

    def test_a_filter_hides_lines_and_keeps_the_balances(self, client, ada, programme):
        earn(ada, 120)
        points.redeem(customer_id=ada.pk, points=50, key="r", at=timezone.now())
        earn(ada, 10)
        page = read(client, "/me/points/?only=earned")
        assert "+10 balance 80" in page
        assert "Redeemed" not in page.partition("Batch by batch")[0].partition("Other")[2]
        assert "+10 balance 80" in read(client, "/me/points/?only=nonsense")

    def test_pending_points_say_so(self, client, ada, programme):
        earn(ada, 80, active_in=10)
        assert "+80 later · balance 0" in read(client, "/me/points/")

    def test_it_has_pages(self, client, ada, programme):
        for number in range(1, 33):
            earn(ada, number, key=f"k{number}")
        assert "+32 balance 528" in read(client, "/me/points/")
        assert "+1 balance 1" in read(client, "/me/points/?page=2")

    def test_batches_say_what_is_left_of_each_and_until_when(self, client, ada, programme):
        earn(ada, 100, expires_in=30)
        earn(ada, 40)
        points.redeem(customer_id=ada.pk, points=60, key="r", at=timezone.now())
        batches = read(client, "/me/points/").partition("Batch by batch")[2]
        assert "40 of 100" in batches
        assert "does not expire 40" in batches


class TestOrders:
    def test_what_was_bought_paid_refunded_and_earned(self, client, ada, programme):
        order = make_order(customer=ada, external_id="A-7", value_cents=4_000, tax_cents=760, shipping_cents=240)
        points.earn(customer_id=ada.pk, points=40, key="e", at=timezone.now(), order_id=order.pk)
        make_refund(order=order, value_cents=1_000)
        page = read(client, "/me/orders/")
        assert "Order A-7" in page
        assert "€50.00 +40 points" in page
        assert "€10.00 came back to you." in page


class TestProfile:
    def test_it_changes_what_is_the_customer_s_own(self, client, ada):
        answer = client.post(
            "/me/profile/",
            {
                "name": "Ada King",
                "phone": "+49 170 1234567",
                "language": "de",
                "time_zone": "Europe/Berlin",
                "birthday": "12-10",
                "street": "1 Quay Road",
                "postcode": "T12 X",
                "city": "Cork",
                "country": "Ireland",
            },
        )
        assert answer.status_code == 302
        ada.refresh_from_db()
        assert (ada.name, ada.locale, ada.time_zone) == ("Ada King", "de", "Europe/Berlin")
        assert ada.birthday == "--12-10"
        assert ada.place == ("1 Quay Road", "T12 X", "Cork", "", "Ireland")
        assert 'value="1 Quay Road"' in client.get("/me/profile/").content.decode()
        assert Phone.objects.get(customer=ada).number == "+491701234567"
        assert "ada king" in ada.search
        assert client.get("/me/profile/").headers["Content-Language"] == "de"

    def test_a_complete_one_is_worth_points_where_the_shop_gives_some(self, client, ada, programme):
        Action.objects.create(code="profile", name="Profile filled in", points=50)
        page = read(client, "/me/profile/")
        assert "50 points for a complete profile." in page
        assert "Still missing: phone, birthday, street and number, city." in page
        told = {"name": "Ada", "phone": "+49 170 1234567", "birthday": "12-10", "street": "1 Quay Road", "city": "Cork"}
        client.post("/me/profile/", told)
        page = read(client, "/me/profile/")
        assert "Saved. You got 50 points for your complete profile." in page
        assert "for a complete profile." not in page
        client.post("/me/profile/", told)
        assert Account.objects.get(customer=ada).balance == 50

    def test_nothing_else_can_be_changed_by_adding_it(self, client, ada):
        client.post(
            "/me/profile/", {"name": "Ada", "channel": "x", "archived_at": "2026-01-01", "custom": "{}", "id": "1"}
        )
        after = Customer.objects.get(pk=ada.pk)
        assert (after.channel, after.archived_at, after.custom) == (ada.channel, None, ada.custom)

    def test_a_birthday_that_is_none_is_refused_in_words(self, client, ada):
        assert "This is no day." in client.post("/me/profile/", {"name": "Ada", "birthday": "31-02"}).content.decode()

    def test_a_phone_that_is_none_is_refused_in_words(self, client, ada):
        page = client.post("/me/profile/", {"name": "Ada", "phone": "12"}).content.decode()
        assert "is not a phone number" in page
        assert not Phone.objects.exists()


class TestOneSeesOnlyOneSOwn:
    """Customer A's session on B's objects: 404 as for what does not exist."""

    @pytest.fixture
    def hers(self, eve, programme):
        """What Eve has, each under the address by which Ada could ask for it."""
        reward = make_reward(name="Eve's mug")
        earn(eve, 777)
        make_order(customer=eve, external_id="EVE-1")
        theirs = signed_in(eve)
        url = theirs.post(f"/me/rewards/{reward.pk}/", {"token": token_of(theirs, reward)}).url
        assert theirs.get(url).status_code == 200
        return url

    def test_her_redemption_is_as_one_that_is_not(self, client, hers):
        missing = client.get("/me/redemptions/999999/")
        other = client.get(hers)
        assert (other.status_code, missing.status_code) == (404, 404)
        told = [re.sub(r'value="[^"]*"', "", page.content.decode().partition("<main")[2]) for page in (other, missing)]
        assert told[0] == told[1]

    def test_no_page_names_anything_of_hers(self, client, hers):
        code = Redemption.objects.get().code
        for path in ROUTES:
            text = client.get(f"/me/{path}").content.decode()
            for secret in ("EVE-1", "Eve Else", "eve@example.com", "677", code, code[:4] + "-"):
                assert secret not in text, (path, secret)

    def test_nor_does_the_export(self, client, hers):
        packed = zipfile.ZipFile(io.BytesIO(b"".join(client.get("/me/data/").streaming_content)))
        text = "".join(packed.read(name).decode() for name in packed.namelist())
        assert "ada@example.com" in text
        for secret in ("EVE-1", "Eve Else", "eve@example.com", Redemption.objects.get().code):
            assert secret not in text

    def test_her_token_does_not_show_her_redemption(self, client, ada, hers):
        reward, one = Reward.objects.get(), Redemption.objects.get()
        earn(ada, 200)
        token = one.key.rpartition(":")[2]
        mine = client.post(f"/me/rewards/{reward.pk}/", {"token": token}).url
        assert mine != hers
        assert Redemption.objects.filter(customer=ada).count() == 1

    def test_hers_shows_without_the_scope(self, client, hers, monkeypatch):
        """The control: a view that forgets whose it is would show it."""
        monkeypatch.setattr("crm.portal.views.rewards.Redemption.objects.select_related", lambda *names: Everything())
        assert client.get(hers).status_code == 200


class Everything:
    """A manager that does not ask whose a row is."""

    def filter(self, **lookups):
        return Redemption.objects.get_queryset().filter()


@pytest.mark.parametrize("route", ROUTES)
def test_each_page_costs_a_fixed_number_of_queries(client, ada, programme, route, django_assert_max_num_queries):
    for number in range(1, 6):
        make_order(customer=ada, day=date(2026, 3, number), at=datetime(2026, 3, number, tzinfo=UTC))
        earn(ada, number * 100)
        make_reward(name=f"Mug {number}")
    client.get("/me/")
    with django_assert_max_num_queries(24):
        client.get(f"/me/{route}")
