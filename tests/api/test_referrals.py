"""Referrals over HTTP."""

import pytest

from core.models import Cursor
from loyalty.models import Referral, ReferralPlan
from loyalty.services import referrals
from tests.api.callers import caller, codes
from tests.factories import make_business, make_customer
from tests.loyalty.shop import NOW, OPENED, line, open_programme, order, totals

URL = "/api/v1/referrals/"


@pytest.fixture
def api(db):
    make_business(currency="EUR")
    open_programme()
    ReferralPlan.objects.create(opened_at=OPENED)
    return caller("loyalty")


@pytest.fixture
def ann(api):
    return make_customer(name="Ann")


def code_of(api, person):
    return api.post(f"{URL}codes/", {"customer": str(person.pk)}).json()["code"]


def claim(api, code, person, **headers):
    return api.post(f"{URL}{code}/claim/", {"customer": str(person.pk)}, **headers)


def test_it_works(api, ann):
    ben, code = make_customer(), code_of(api, ann)
    assert code_of(api, ann) == code
    answer = claim(api, code, ben)
    told = answer.json()
    assert (answer.status_code, told["status"], told["reason"]) == (201, "pending", None)
    assert (told["advocate"], told["friend"], told["code"]) == (str(ann.pk), str(ben.pk), code)
    placed = order(ben, line("25.00"), at=Referral.objects.get().claimed_at)
    referrals.follow(at=NOW)
    (row,) = api.get(f"{URL}?status=converted&advocate={ann.pk}").json()["results"]
    assert (row["order"], row["advocate_points"]) == (str(placed.pk), 500)
    assert totals(ann) == (0, 500)
    assert Cursor.objects.filter(reaction=referrals.REACTION).exists()


def test_what_a_person_has_to_look_at_says_why(api, ann):
    ann.phones.create(number="+491701234567")
    twin = make_customer()
    twin.phones.create(number="+491701234567")
    told = claim(api, code_of(api, ann), twin).json()
    assert (told["status"], told["reason"]) == ("held", "same_phone")


def test_refusals_by_name(api, ann):
    code, buyer, ben = code_of(api, ann), make_customer(), make_customer()
    order(buyer, line("25.00"))
    claim(api, code, ben)
    assert codes(claim(api, code, ann)) == {None: "own_code"}
    assert codes(claim(api, code, buyer)) == {None: "not_new"}
    assert codes(claim(api, code, ben)) == {None: "already_referred"}
    assert codes(claim(api, "NOSUCHCODE", make_customer())) == {None: "code_unknown"}
    ReferralPlan.objects.update(most_friends=1)
    assert codes(claim(api, code, make_customer())) == {None: "limit"}
    ReferralPlan.objects.update(opened_at=None)
    answer = claim(api, code, make_customer())
    assert (answer.status_code, codes(answer)) == (409, {None: "expired"})


def test_the_same_key_is_the_same_claim(api, ann):
    ben, code = make_customer(), code_of(api, ann)
    first, again = (claim(api, code, ben, Idempotency_Key="one") for _ in range(2))
    assert (first.content, again.status_code, Referral.objects.count()) == (again.content, 201, 1)


def test_nobody_to_refer(api, ann):
    assert api.post(f"{URL}{code_of(api, ann)}/claim/", {"customer": "99999"}).status_code == 404
    assert api.post(f"{URL}codes/", {"customer": "99999"}).status_code == 404
