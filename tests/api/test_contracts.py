"""Contracts over HTTP."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from analytics.models import ContractValue
from core.models import Edit
from customers.models import Company, Contract, ContractTerm
from tests.api.callers import caller, codes
from tests.factories import make_business, make_customer

K7, LIST = "/api/v1/contracts/erp/K-7/", "/api/v1/contracts/"


@pytest.fixture
def api(db):
    make_business()
    return caller("customers")


def body(**changes):
    """A contract that began two years ago and has been renewed once."""
    facts = {"plan": "Care", "starts_on": f"{years_ago(2)}", "term_months": 12, "value": "1200.00", "renewals": 1}
    if "customer" not in changes and "company" not in changes:
        facts["customer"] = str(make_customer().pk)
    return facts | changes


def years_ago(number):
    today = timezone.localdate()
    return date(today.year - number, today.month, 1)


def outcomes(answer):
    return [term["outcome"] for term in answer.json()["terms"]]


def test_it_works(api):
    told = body()
    answer = api.put(K7, told)
    contract = Contract.objects.get()
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["id"], shown["source"], shown["external_id"]) == (str(contract.pk), "erp", "K-7")
    assert {name: shown[name] for name in told} == told
    assert (shown["company"], shown["margin_rate"], shown["agreed_on"]) == (None, None, told["starts_on"])
    assert outcomes(answer) == ["renewed", "pending"]
    assert api.get(K7).json() == api.get(f"/api/v1/contracts/{contract.pk}/").json() == shown


def test_the_same_again_changes_nothing(api):
    told = body()
    api.put(K7, told)
    edits = Edit.objects.count()

    answer = api.put(K7, told)

    assert (answer.status_code, ContractTerm.objects.count(), Edit.objects.count()) == (200, 2, edits)


def test_what_is_left_out_stays_and_the_value_is_the_open_term_s_too(api):
    api.put(K7, body(margin_rate="0.25"))

    answer = api.put(K7, {"value": "1300"}).json()

    assert (answer["plan"], answer["margin_rate"]) == ("Care", "0.25")
    assert [term["value"] for term in answer["terms"]] == ["1200.00", "1300.00"]


def test_a_source_that_knows_of_another_renewal_renews(api):
    api.put(K7, body())

    answer = api.put(K7, {"renewals": 2})

    assert (answer.status_code, outcomes(answer)) == (200, ["renewed", "renewed", "pending"])


def test_fewer_renewals_are_refused(api):
    api.put(K7, body())

    assert codes(api.put(K7, {"renewals": 0})) == {"renewals": "too_few"}


def test_more_renewals_than_time_are_refused_and_nothing_is_written(api):
    assert codes(api.put(K7, body(renewals=40))) == {"renewals": "too_many"}
    assert not Contract.objects.exists()


def test_renewing_twice_renews_once(api):
    number = api.put(K7, body()).json()["id"]
    url = f"/api/v1/contracts/{number}/renew/"

    first, second = (api.post(url, {"number": 2, "value": "1500"}) for _ in range(2))

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert outcomes(second) == ["renewed", "renewed", "pending"]
    assert [term["value"] for term in second.json()["terms"]] == ["1200.00", "1200.00", "1500.00"]


def test_cancelling_twice_cancels_once_and_renewing_then_is_a_conflict(api):
    number = api.put(K7, body()).json()["id"]
    url = f"/api/v1/contracts/{number}"
    told = {"number": 2, "reason": "Moved away", "on": f"{timezone.localdate() - timedelta(days=3)}"}

    first = api.post(f"{url}/cancel/", told)
    assert api.post(f"{url}/cancel/", told).json() == first.json()

    last = first.json()["terms"][-1]
    assert (last["outcome"], last["reason"], last["decided_on"]) == ("cancelled", "Moved away", told["on"])
    answer = api.post(f"{url}/renew/", {"number": 2})
    assert (answer.status_code, codes(answer)) == (409, {None: "already_decided"})


def test_a_company_s_contract(api):
    company = Company.objects.create(name="Acme", source="shop", external_id="1")

    answer = api.put(K7, body(company=str(company.pk)))

    assert (answer.json()["company"], answer.json()["customer"]) == (str(company.pk), None)
    assert len(api.get(f"/api/v1/contracts/?company={company.pk}").json()["results"]) == 1
    assert api.get("/api/v1/contracts/?customer=1").json()["results"] == []


def test_lists_by_state(api):
    """One runs, one waits since last year, one was cancelled and is over."""
    running = api.put("/api/v1/contracts/erp/1/", body(renewals=2)).json()["id"]
    overdue = api.put("/api/v1/contracts/erp/2/", body(renewals=0)).json()["id"]
    ended = api.put("/api/v1/contracts/erp/3/", body(renewals=0)).json()["id"]
    api.post(f"/api/v1/contracts/{ended}/cancel/", {"number": 1, "outcome": "lapsed"})

    def found(query):
        return [row["id"] for row in api.get(f"/api/v1/contracts/{query}").json()["results"]]

    assert found("") == [ended, overdue, running]
    assert found("?state=open") == [overdue, running]
    assert found("?state=overdue") == [overdue]
    assert found("?state=ended") == [ended]
    assert found("?due_within=90") == []
    soon = api.put(
        "/api/v1/contracts/erp/4/", body(starts_on=f"{timezone.localdate() - timedelta(days=320)}", renewals=0)
    )
    assert found("?due_within=60") == found("?due_within=90") == [soon.json()["id"]]
    assert found("?due_within=30") == []
    assert [api.get(f"/api/v1/contracts/{pk}/").json()["status"] for pk in (running, overdue, ended)] == [
        "running",
        "overdue",
        "ended",
    ]


@pytest.mark.parametrize(
    ("changes", "attr", "code"),
    [
        ({"plan": ""}, "plan", "blank"),
        ({"value": "-1"}, "value", "range"),
        ({"value": "1.234"}, "value", "places"),
        ({"term_months": 0}, "term_months", "min_value"),
        ({"term_months": 121}, "term_months", "max_value"),
        ({"starts_on": "1899-12-31"}, "starts_on", "year"),
        ({"starts_on": "soon"}, "starts_on", "invalid"),
        ({"margin_rate": "1.1"}, "margin_rate", "range"),
        ({"customer": "999999"}, "customer", "does_not_exist"),
        ({"customer": None}, "company", "missing"),
        ({"agreed_on": "2199-01-01"}, "agreed_on", "year"),
        ({"agreed_on": "2098-01-01"}, "agreed_on", "range"),
        ({"renews": True}, "renews", "unknown_field"),
    ],
)
def test_bad_input_is_named(api, changes, attr, code):
    answer = api.put(K7, body(**changes))

    assert (answer.status_code, codes(answer)) == (400, {attr: code})


@pytest.mark.parametrize("name", ["plan", "starts_on", "value"])
def test_a_new_contract_needs_what_it_is(api, name):
    told = body()
    del told[name]

    assert codes(api.put(K7, told)) == {name: "missing"}


def test_the_first_day_stands_after_a_decision(api):
    api.put(K7, body())

    assert codes(api.put(K7, {"starts_on": f"{years_ago(1)}"})) == {"starts_on": "has_begun"}


@pytest.mark.parametrize(
    ("told", "attr", "code"),
    [
        ({"number": 2, "on": "2099-01-01"}, "on", "future"),
        ({"number": 2, "on": "1990-01-01"}, "number", "not_begun"),
        ({"number": 0}, "number", "min_value"),
        ({}, "number", "required"),
    ],
)
def test_renewals_that_cannot_be(api, told, attr, code):
    number = api.put(K7, body()).json()["id"]

    answer = api.post(f"/api/v1/contracts/{number}/renew/", told)

    assert (answer.status_code, codes(answer)) == (400, {attr: code})


def test_a_running_term_does_not_lapse(api):
    number = api.put(K7, body(renewals=2)).json()["id"]

    answer = api.post(f"/api/v1/contracts/{number}/cancel/", {"number": 3, "outcome": "lapsed"})

    assert codes(answer) == {"outcome": "not_over"}


@pytest.mark.parametrize("url", ["/api/v1/contracts/999/renew/", "/api/v1/contracts/999/cancel/"])
def test_no_such_contract(api, url):
    assert api.post(url, {"number": 1}).status_code == 404


def test_no_such_term(api):
    number = api.put(K7, body()).json()["id"]

    assert api.post(f"/api/v1/contracts/{number}/renew/", {"number": 9}).status_code == 404


def test_a_key_for_reading_does_not_write(db):
    make_business()
    reader = caller("customers:read")

    assert reader.get("/api/v1/contracts/").status_code == 200
    assert reader.put(K7, body()).status_code == 403


def test_a_key_for_orders_reads_no_contracts(db):
    make_business()

    assert caller("orders").get("/api/v1/contracts/").status_code == 403


def test_queries(api, django_assert_num_queries):
    for number in range(3):
        api.put(f"/api/v1/contracts/erp/{number}/", body())

    with django_assert_num_queries(4):  # key, business, contracts, terms
        api.get("/api/v1/contracts/")


def value_of(contract, **changes):
    """As a night would have it."""
    facts = {
        "contract_id": contract.pk,
        "run_id": 1,
        "as_of": date(2026, 3, 31),
        "model": "sBG of all plans",
        "renewals": 1,
        "due_on": date(2026, 12, 31),
        "p_renew": 0.87410249,
        "left_cents": 43_800,
        "stake_cents": 214_100,
        "beyond_cents": 187_200,
        "value_cents": 231_000,
        "low_cents": 44_000,
        "high_cents": 410_300,
    }
    return ContractValue.objects.create(**facts | changes)


class TestOutlook:
    def test_a_night_s_word_is_in_each_answer(self, api):
        told = body()
        assert api.put(K7, told).json()["outlook"] is None
        contract = Contract.objects.get()
        value_of(contract)
        expected = {
            "as_of": "2026-03-31",
            "p_renew": 0.874102,
            "value": "2310.00",
            "value_low": "440.00",
            "value_high": "4103.00",
            "value_agreed": "438.00",
            "value_renewals": "1872.00",
            "at_stake": "2141.00",
            "is_overdue": False,
            "model": "sBG of all plans",
        }
        one, other, listed = (api.get(url).json() for url in (K7, f"/api/v1/contracts/{contract.pk}/", LIST))
        assert one["outlook"] == other["outlook"] == listed["results"][0]["outlook"] == expected
        assert api.put(K7, told).json()["outlook"] == expected
        renewed = api.post(f"/api/v1/contracts/{contract.pk}/renew/", {"number": 2})
        assert renewed.json()["outlook"] == expected

    def test_a_cancelled_contract_has_no_chance(self, api):
        api.put(K7, body())
        value_of(Contract.objects.get(), p_renew=None)
        assert api.get(K7).json()["outlook"]["p_renew"] is None

    def test_nobody_can_tell_it(self, api):
        answer = api.put(K7, body(outlook={"p_renew": 1}))
        assert (answer.status_code, codes(answer)) == (400, {"outlook": "unknown_field"})

    def test_queries_do_not_grow(self, api, django_assert_max_num_queries):
        for number in range(5):
            api.put(f"/api/v1/contracts/erp/K-{number}/", body())
        for contract in Contract.objects.all():
            value_of(contract)
        with django_assert_max_num_queries(8):
            assert len(api.get(LIST).json()["results"]) == 5


def test_what_orders_bill_is_told_and_shown(api):
    told = body(is_billed_by_orders=True)
    assert api.put(K7, told).json()["is_billed_by_orders"] is True
    assert Contract.objects.get().is_billed_by_orders
    del told["is_billed_by_orders"]
    assert api.put(K7, told).json()["is_billed_by_orders"] is True  # what is left out stays
