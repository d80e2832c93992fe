"""Contracts: terms in the calendar, renewals, cancellations, mistakes taken back, two people at once."""

import threading
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from core import feed
from core.models import Business, Change
from customers import terms as calendar
from customers.models import Contract, ContractTerm, Customer
from customers.services import contracts
from tests import contracts as made
from tests.contracts import TODAY, agreement, last_term, make_contract, terms
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db
Outcome, Status = ContractTerm.Outcome, ContractTerm.Status


def renew(contract, number=1, **changes):
    return contracts.renew(**{"contract_id": contract.pk, "number": number, "on": TODAY} | changes)


def cancel(contract, number=1, **changes):
    return contracts.cancel(**{"contract_id": contract.pk, "number": number, "on": TODAY} | changes)


def changes():
    return Change.objects.filter(kind="contract").count()


@pytest.mark.parametrize(
    ("starts_on", "months", "anchor", "last"),
    [
        ("2026-03-01", 12, 1, "2027-02-28"),
        ("2026-01-31", 1, 31, "2026-02-27"),
        ("2026-02-28", 1, 31, "2026-03-30"),
        ("2024-02-29", 12, 29, "2025-02-27"),
        ("2025-02-28", 36, 29, "2028-02-28"),
        ("2026-11-15", 3, 15, "2027-02-14"),
        ("1969-12-31", 120, 31, "1979-12-30"),
    ],
)
def test_months_are_those_of_the_calendar(starts_on, months, anchor, last):
    found = calendar.last_day(starts_on=date.fromisoformat(starts_on), months=months, anchor=anchor)

    assert found == date.fromisoformat(last)


def test_monthly_terms_come_back_to_the_day_they_began_on():
    contract = make_contract(starts_on=date(2026, 1, 31), term_months=1, renewals=3, on=date(2026, 5, 1))

    assert [first for _, first, *_ in terms(contract)] == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_it_works():
    """Three years: 1,200 at first, 1,500 from the second on, cancelled in the third: 4,200 were agreed in all."""
    contract = make_contract()
    renew(contract, value_cents=150_000)
    renew(contract, 2, on=date(2027, 2, 1))
    cancel(contract, 3, on=date(2027, 6, 1), reason="moved away")

    assert terms(contract) == [
        (1, "2025-03-01", "2026-02-28", 120_000, "renewed"),
        (2, "2026-03-01", "2027-02-28", 150_000, "renewed"),
        (3, "2027-03-01", "2028-02-29", 150_000, "cancelled"),
    ]
    last = last_term(contract)
    assert (last.decided_on, last.reason, last.renewals) == (date(2027, 6, 1), "moved away", 2)


def test_a_contract_by_hand_is_known_under_its_number():
    contract = make_contract()

    assert (contract.source, contract.external_id) == ("manual", str(contract.pk))


def test_one_that_ran_before_has_its_renewals():
    contract = make_contract(starts_on=date(2023, 3, 1), renewals=2)

    assert [outcome for *_, outcome in terms(contract)] == ["renewed", "renewed", "pending"]
    assert list(contract.terms.order_by("number").values_list("decided_on", flat=True)) == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        None,
    ]


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2025-02-28", Status.FUTURE),
        ("2025-03-01", Status.RUNNING),
        ("2026-02-28", Status.RUNNING),
        ("2026-03-01", Status.OVERDUE),
    ],
)
def test_an_open_term_runs_until_its_last_day_and_is_overdue_then(day, status):
    assert last_term(make_contract()).status(date.fromisoformat(day)) == status


@pytest.mark.parametrize(("day", "status"), [("2026-02-28", Status.ENDING), ("2026-03-01", Status.ENDED)])
def test_a_cancelled_contract_runs_to_the_end_of_its_term(day, status):
    contract = make_contract()
    cancel(contract)

    assert last_term(contract).status(date.fromisoformat(day)) == status


def test_renewed_early_it_runs_and_has_not_to_begin():
    contract = make_contract()
    renew(contract)

    assert last_term(contract).status(TODAY) == Status.RUNNING


def test_renewing_again_changes_nothing():
    contract = make_contract()
    first = renew(contract)
    before = changes()

    assert renew(contract, value_cents=999) == first
    assert contract.terms.count() == 2
    assert changes() == before


def test_cancelling_again_changes_nothing():
    contract = make_contract()
    cancel(contract, reason="price")
    before = changes()

    assert cancel(contract, on=date(2026, 2, 20), reason="other").reason == "price"
    assert changes() == before


def test_every_change_is_told_to_the_night():
    contract = make_contract()
    renew(contract)
    contracts.take_back(contract_id=contract.pk, number=1)
    cancel(contract)
    contracts.change(contract_id=contract.pk, agreement=agreement(customer=Customer.objects.get(), value_cents=1))

    assert changes() == 5
    assert feed.newest() > 0


def test_what_was_cancelled_is_not_renewed():
    contract = make_contract()
    cancel(contract)

    with pytest.raises(contracts.AlreadyDecided) as error:
        renew(contract)
    assert error.value.term.outcome == Outcome.CANCELLED


def test_what_was_renewed_is_not_cancelled():
    contract = make_contract()
    renew(contract)

    with pytest.raises(contracts.AlreadyDecided):
        cancel(contract)


def test_a_term_that_is_not_there_is_refused():
    with pytest.raises(ContractTerm.DoesNotExist):
        renew(make_contract(), 2)


def test_a_term_that_has_not_begun_is_not_renewed():
    contract = make_contract()
    renew(contract)

    with pytest.raises(contracts.NotBegun):
        renew(contract, 2, on=date(2026, 2, 28))
    assert renew(contract, 2, on=date(2026, 3, 1)).number == 3


def test_more_renewals_than_there_was_time_for_are_refused():
    with pytest.raises(contracts.NotBegun):
        make_contract(renewals=2)


def test_a_term_lapses_when_it_is_over():
    contract = make_contract()
    with pytest.raises(contracts.NotOver):
        cancel(contract, on=date(2026, 2, 28), outcome=Outcome.LAPSED)

    assert cancel(contract, on=date(2026, 3, 1), outcome=Outcome.LAPSED).outcome == Outcome.LAPSED


def test_a_mistaken_renewal_is_taken_back_with_the_term_it_began():
    contract = make_contract()
    renew(contract)

    contracts.take_back(contract_id=contract.pk, number=1)

    assert terms(contract) == [(1, "2025-03-01", "2026-02-28", 120_000, "pending")]
    assert renew(contract).number == 2


def test_a_mistaken_cancellation_is_taken_back():
    contract = make_contract(renewals=1, starts_on=date(2024, 3, 1))
    cancel(contract, 2, reason="wrong customer")

    contracts.take_back(contract_id=contract.pk, number=2)

    last = last_term(contract)
    assert (last.outcome, last.decided_on, last.reason) == ("pending", None, "")


@pytest.mark.parametrize("number", [1, 3, 4])
def test_only_the_latest_decision_is_taken_back(number):
    """Terms 1 and 2 were renewed, 3 is open: only 2 can be opened again."""
    contract = make_contract(renewals=2, starts_on=date(2023, 3, 1))

    with pytest.raises(contracts.CannotTakeBack):
        contracts.take_back(contract_id=contract.pk, number=number)
    assert contracts.take_back(contract_id=contract.pk, number=2).number == 2


def test_a_change_is_for_terms_to_come():
    customer = make_customer()
    contract = make_contract(customer=customer, renewals=1, starts_on=date(2024, 3, 1))
    told = agreement(customer=customer, starts_on=date(2024, 3, 1), value_cents=99_000, term_months=6)

    contracts.change(contract_id=contract.pk, agreement=told)
    renew(contract, 2)

    assert terms(contract)[1:] == [
        (2, "2025-03-01", "2026-02-28", 120_000, "renewed"),
        (3, "2026-03-01", "2026-08-31", 99_000, "pending"),
    ]


def test_a_price_for_the_open_term_too():
    customer = make_customer()
    contract = make_contract(customer=customer, renewals=1, starts_on=date(2024, 3, 1))
    told = agreement(customer=customer, starts_on=date(2024, 3, 1), value_cents=99_000)

    contracts.change(contract_id=contract.pk, agreement=told, reprices=True)

    assert [cents for *_, cents, _ in terms(contract)] == [120_000, 99_000]


def test_before_the_first_decision_the_first_day_may_be_corrected():
    customer = make_customer()
    contract = make_contract(customer=customer)

    contracts.change(
        contract_id=contract.pk, agreement=agreement(customer=customer, starts_on=date(2025, 5, 1), term_months=24)
    )

    assert terms(contract) == [(1, "2025-05-01", "2027-04-30", 120_000, "pending")]


def test_after_a_decision_the_first_day_stands():
    customer = make_customer()
    contract = make_contract(customer=customer)
    renew(contract)

    with pytest.raises(contracts.HasBegun):
        contracts.change(contract_id=contract.pk, agreement=agreement(customer=customer, starts_on=date(2025, 5, 1)))


def test_automatic_contracts_wait_for_somebody_and_then_catch_up():
    """A term that ends is overdue, automatic or not; one act renews those that are, up to today."""
    automatic = make_contract(renews_automatically=True, term_months=1, starts_on=date(2025, 11, 5))
    by_hand = make_contract(term_months=1, starts_on=date(2025, 11, 5))
    assert last_term(automatic).status(TODAY) == Status.OVERDUE

    assert contracts.renew_automatic(on=TODAY) == 1
    assert contracts.renew_automatic(on=TODAY) == 0

    assert [first for _, first, *_ in terms(automatic)] == ["2025-11-05", "2025-12-05", "2026-01-05", "2026-02-05"]
    assert last_term(by_hand).status(TODAY) == Status.OVERDUE


def test_the_business_knows_that_there_are_contracts():
    assert not make_business().shows_contracts
    make_contract()

    assert Business.objects.get().shows_contracts


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("a_contract_is_somebody_s", {"customer": None}),
        ("a_contract_names_its_plan", {"plan": ""}),
        ("a_term_has_1_to_120_months", {"term_months": 0}),
        ("a_term_has_1_to_120_months", {"term_months": 121}),
        ("a_contract_is_not_worth_less_than_nothing", {"value_cents": -1}),
        ("margin_rate_of_a_contract_is_a_share", {"margin_rate": 2}),
        ("one_contract_per_source_and_id", {"source": "erp", "external_id": "K1"}),
    ],
)
def test_postgresql_refuses_contracts_that_cannot_be(name, facts):
    make_contract(source="erp", external_id="K1")
    contract = make_contract()

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Contract.objects.filter(pk=contract.pk).update(**facts)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("terms_of_a_contract_are_numbered", {"number": 1, "outcome": "renewed", "decided_on": TODAY}),
        ("a_contract_has_one_last_term", {}),
        ("terms_are_numbered_from_one", {"number": 0}),
        ("a_term_ends_after_it_starts", {"ends_on": date(2027, 12, 1)}),
        ("a_term_is_not_worth_less_than_nothing", {"value_cents": -1}),
        ("a_term_has_a_known_outcome", {"outcome": "lost", "decided_on": TODAY}),
        ("a_decided_term_says_since_when", {"outcome": "renewed"}),
        ("a_decided_term_says_since_when", {"decided_on": TODAY}),
        (
            "terms_of_a_contract_do_not_overlap",
            {"outcome": "renewed", "decided_on": TODAY, "starts_on": date(2026, 2, 28), "ends_on": date(2026, 5, 1)},
        ),
    ],
)
def test_postgresql_refuses_terms_that_cannot_be(name, facts):
    contract = make_contract()
    term = {"number": 2, "starts_on": date(2028, 1, 1), "ends_on": date(2028, 12, 31), "value_cents": 1}

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ContractTerm.objects.create(contract=contract, **term | facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"value_cents": 1},
        {"ends_on": date(2026, 1, 1)},
        {"number": 7},
        {"outcome": "cancelled"},
        {"decided_on": date(2020, 1, 1)},
        {"outcome": "pending", "decided_on": None, "value_cents": 1},
    ],
)
def test_postgresql_refuses_to_rewrite_what_was_decided(facts):
    contract = make_contract()
    renew(contract)

    with pytest.raises(IntegrityError, match="stands"), transaction.atomic():
        contract.terms.filter(number=1).update(**facts)


def at_once(*works):
    """Run the works in threads that start together; what each raised, or None."""
    barrier = threading.Barrier(len(works))
    found: list[Exception | None] = [None] * len(works)

    def go(place, work):
        try:
            barrier.wait(60)
            work()
        except Exception as error:
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return found


@pytest.mark.django_db(transaction=True)
def test_two_people_who_renew_at_once_renew_once():
    contract = make_contract()

    errors = at_once(*[lambda: renew(contract, value_cents=150_000)] * 4)

    assert errors == [None] * 4
    assert [outcome for *_, outcome in terms(contract)] == ["renewed", "pending"]


@pytest.mark.django_db(transaction=True)
def test_one_renews_while_another_cancels():
    contract = make_contract()

    errors = at_once(lambda: renew(contract), lambda: cancel(contract))

    assert sorted(type(error).__name__ for error in errors) == ["AlreadyDecided", "NoneType"]
    assert len(terms(contract)) == (2 if errors[0] is None else 1)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_meet_the_constraints(monkeypatch):
    """What the lock is for: both see an open term, and one of them ends in an error."""
    contract = make_contract()
    both = threading.Barrier(2)

    def unlocked(contract_id):
        found = Contract.objects.get(pk=contract_id)
        list(found.terms.all())
        return found

    decide = contracts._decide

    def waits(term, outcome, **told):
        both.wait(10)
        decide(term, outcome, **told)

    monkeypatch.setattr(contracts, "locked", unlocked)
    monkeypatch.setattr(contracts, "_decide", waits)
    errors = at_once(lambda: renew(contract), lambda: renew(contract))

    assert sum(error is not None for error in errors) == 1
    assert isinstance(next(error for error in errors if error), IntegrityError)


def test_the_factory_makes_what_it_says():
    contract = make_contract()

    assert made.anybody_s() == contract
    assert terms(contract) == [(1, "2025-03-01", "2026-02-28", 120_000, "pending")]
