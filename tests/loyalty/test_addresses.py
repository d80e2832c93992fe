"""The same postal address: told from others however it is written, and a reason to look at a claim."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import Role, User
from customers.models import Customer
from customers.places import Place
from loyalty import sameness
from loyalty.models import Referral
from loyalty.selectors import addresses
from loyalty.services import referrals
from tests.api.callers import caller
from tests.factories import make_business, make_customer
from tests.loyalty.referrals import buy, claim, code_of, follow, open_plan
from tests.loyalty.shop import DAY, NOW, open_programme, totals

State = Referral.State
HOME = Place("12 Main Street", "D02 AF30", "Dublin", "", "IE")


class TestSameness:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (("12 Main Street", "D02 AF30"), ("12, main st.", "d02af30", "Dublin 2")),
            (("Hauptstraße 5b", "10115"), ("5 B Haupt-Str.", "D-10115", "Berlin")),
            (("Müllerstr. 3", "1010", "Wien"), ("Muellerstraße 3", "A-1010")),
            (("1 Elm St", "02108-1234"), ("Elm Street No. 1", "02108")),
            (("8 Łąkowa", "90-001"), ("ul. Lakowa 8", "90001")),
            (("12 O'Connell Avenue", "", "Cork"), ("12 OConnell Ave", "T12 X", "CORK")),
            (("Flat 3, 12 Main St", "D02AF30"), ("12 Main Street #3", "D02AF30")),
            (("12 Main St", "D02AF30"), ("12 Main St, Apt 3", "D02AF30")),
            (("Rose Cottage, Mill Lane", "P75 XY12"), ("Rose Cottage Mill Ln", "P75XY12")),
            (("12 Main St", "1000", "", "", "BE"), ("12 Main St", "1000", "", "", "Belgium")),
        ],
    )
    def test_one_place(self, one, other):
        assert sameness.are_one_place(Place(*one), Place(*other))
        assert sameness.are_one_place(Place(*other), Place(*one))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ((), ()),
            (("", "10115", "Berlin"), ("", "10115", "Berlin")),
            (("Berlin", "10115", "Berlin"), ("Berlin", "10115", "Berlin")),
            (("12 Main St", "", ""), ("12 Main St", "", "")),
            (("Main St", "", "Cork"), ("Main St", "", "Cork")),
            (("12 Main St", "", "Cork"), ("12 Main St", "", "Dublin")),
            (("12 Main St", "D02 AF30"), ("13 Main St", "D02 AF30")),
            (("12 Main St", "D02 AF30"), ("12 Main St", "D04 X2P0")),
            (("12 Main St, Flat 3", "D02 AF30"), ("12 Main St, Flat 4", "D02 AF30")),
            (("12 Main St", "1000", "", "", "BE"), ("12 Main St", "1000", "", "", "SI")),
        ],
    )
    def test_two_places(self, one, other):
        assert not sameness.are_one_place(Place(*one), Place(*other))

    def test_postcodes_that_are_one_have_the_same_digits(self):
        for one, other in (("D-10115", "10115"), ("02108-1234", "02108"), ("d02 af30", "D02AF30")):
            assert sameness.digits(one) == sameness.digits(other) != ""


@pytest.fixture
def plan(db):
    make_business(time_zone="Europe/Berlin", currency="EUR")
    open_programme(refund_policy="allow_negative")
    return open_plan()


@pytest.fixture
def staff(plan):
    return User.objects.create_user("m@example.com", "x", role=Role.MANAGER)


def at_home(**parts):
    return make_customer(**HOME._asdict() | parts)


@pytest.fixture
def ann(plan):
    return at_home(name="Ann")


class TestClaims:
    def test_it_is_held_and_released_it_pays_once(self, ann, staff):
        twin = at_home(street="12, Main St.", postcode="d02af30", city="")
        referral = claim(ann, twin)
        assert (referral.state, referral.reasons) == (State.HELD, ["same_address"])
        buy(twin)
        follow(NOW + DAY)
        assert (totals(ann), totals(twin)) == ((0, 0), (0, 0))
        referrals.release(referral_id=referral.pk, by=staff, at=NOW + 2 * DAY)
        follow(NOW + 3 * DAY)
        follow(NOW + 4 * DAY)
        assert (Referral.objects.get().state, totals(ann), totals(twin)) == (State.CONVERTED, (0, 500), (0, 300))

    def test_cancelled_it_pays_nothing(self, ann, staff):
        twin = at_home()
        referrals.cancel(referral_id=claim(ann, twin).pk, by=staff, at=NOW, note="One household")
        buy(twin)
        follow(NOW + DAY)
        assert (Referral.objects.get().state, totals(ann), totals(twin)) == (State.CANCELLED, (0, 0), (0, 0))

    def test_next_door_and_the_same_city_wait_for_nobody(self, ann):
        assert claim(ann, at_home(street="14 Main Street")).state == State.PENDING
        assert claim(ann, at_home(street="", postcode="")).state == State.PENDING

    def test_several_friends_of_one_person_at_one_address(self, plan):
        ann, elsewhere = make_customer(), HOME._replace(street="5 Quay Road")._asdict()
        assert claim(ann, make_customer(**elsewhere)).state == State.PENDING
        assert claim(ann, make_customer(**elsewhere)).reasons == ["friends_address"]
        assert claim(make_customer(), make_customer(**elsewhere)).state == State.PENDING

    def test_somebody_there_has_bought_before(self, plan):
        buy(at_home(), at=NOW - DAY)
        ann, friend = make_customer(), at_home(postcode="d02af30")
        assert claim(ann, friend).reasons == ["known_address"]

    def test_an_address_that_comes_with_the_order_is_looked_at_once(self, ann, staff):
        twin = make_customer()
        assert claim(ann, twin).state == State.PENDING
        Customer.objects.filter(pk=twin.pk).update(**HOME._asdict())
        buy(twin)
        follow(NOW + DAY)
        referral = Referral.objects.get()
        assert (referral.state, referral.reasons, totals(ann)) == (State.HELD, ["same_address"], (0, 0))
        referrals.release(referral_id=referral.pk, by=staff, at=NOW + 2 * DAY)
        follow(NOW + 3 * DAY)
        assert (Referral.objects.get().state, totals(ann)) == (State.CONVERTED, (0, 500))

    def test_what_was_released_before_the_order_is_not_held_again(self, ann, staff):
        twin = at_home()
        referrals.release(referral_id=claim(ann, twin).pk, by=staff, at=NOW)
        buy(twin)
        follow(NOW + DAY)
        assert (Referral.objects.get().state, totals(ann)) == (State.CONVERTED, (0, 500))

    def test_staff_see_who_else_lives_there(self, ann, staff, client):
        landlady = at_home(name="Mrs. Hudson")
        referral = claim(ann, at_home())
        client.force_login(staff)
        page = client.get(f"/loyalty/referrals/{referral.pk}/").content.decode()
        assert "Both have the same postal address" in page
        assert f'<a href="/customers/{landlady.pk}/">Mrs. Hudson</a>' in page
        assert page.count("D02 AF30 Dublin") == 2

    def test_programs_read_why(self, ann):
        told = (
            caller("loyalty").post(f"/api/v1/referrals/{code_of(ann)}/claim/", {"customer": str(at_home().pk)}).json()
        )
        assert (told["status"], told["reason"]) == ("held", "same_address")


def test_neighbours_are_found_by_an_index(plan):
    """A small table is read whole, so that this is made dear."""
    one, other = at_home(), at_home(street="12 main st", postcode="D02AF30")
    at_home(street="13 Main Street")
    with CaptureQueriesContext(connection) as run, connection.cursor() as cursor:
        assert addresses.neighbours(one.pk) == [other.pk]
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {run.captured_queries[1]['sql']}")
        assert "customer_by_postcode" in str(cursor.fetchall())
