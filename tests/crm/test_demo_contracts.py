"""The demo's contracts: the same for the same seed, terms that add up, and gone with the demo."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from django.core.management import call_command

from core.models import Business
from crm.demo import agreeing, clearing, deals, loading, shop
from customers import terms
from customers.models import Company, Contract, ContractTerm, Customer
from tests.contracts import make_contract

UNTIL = date(2025, 6, 30)
AT = datetime(2025, 7, 1, 8, tzinfo=UTC)
SIZE = loading.Size(customers=260, years=2, seed=2, until=UNTIL)


@cache
def made(seed=2, customers=1500):
    return shop.build(customers=customers, years=3, seed=seed, until=UNTIL)


@cache
def small():
    return shop.build(customers=SIZE.customers, years=SIZE.years, seed=SIZE.seed, until=UNTIL)


def load():
    business = loading.prepare_business()
    loading.load(shop=small(), business=business, size=SIZE, at=AT)


def outcomes(of_shop):
    return [told.outcome for deal in of_shop.deals for told in deal.decisions]


class TestDeals:
    def test_same_seed_same_contracts(self):
        again = shop.build(customers=SIZE.customers, years=SIZE.years, seed=SIZE.seed, until=UNTIL)
        assert again.deals == small().deals != []

    def test_other_seed_other_contracts(self):
        assert made(seed=3).deals != made().deals

    def test_most_are_renewed_and_some_are_not(self):
        told = outcomes(made())
        assert len(told) > 60
        assert 0.75 < told.count("renewed") / len(told) < 0.97
        assert {"renewed", "cancelled"} <= set(told)

    def test_terms_follow_each_other_and_nothing_comes_after_the_end(self):
        for deal in made().deals:
            first = deal.starts_on
            for told in deal.decisions:
                last = terms.last_day(starts_on=first, months=deal.months, anchor=deal.starts_on.day)
                assert first <= told.on <= UNTIL
                assert last <= UNTIL
                first = last + timedelta(days=1)
            assert all(told.outcome == "renewed" for told in deal.decisions[:-1])

    def test_firms_hold_a_plan_once(self):
        held = [(deal.firm, deal.plan) for deal in made().deals]
        assert len(held) == len(set(held))

    def test_numbers_are_in_order(self):
        numbers = [deal.external_id for deal in made().deals]
        assert numbers == [f"K{1001 + number}" for number in range(len(numbers))]

    def test_a_shop_without_firms_has_none(self):
        assert deals.deals([], until=UNTIL, seed=2) == []


@pytest.mark.django_db
class TestHome:
    def test_every_decision_arrives(self):
        load()
        found = Contract.objects.filter(source="demo")
        decided = ContractTerm.objects.filter(contract__in=found).exclude(outcome="pending")
        assert found.count() == len(small().deals) > 0
        assert sorted(decided.values_list("outcome", flat=True)) == sorted(outcomes(small()))
        assert Business.objects.get().shows_contracts

    def test_values_are_those_of_the_deals(self):
        load()
        for deal in small().deals:
            prices = [deal.value, *(told.value for told in deal.decisions if told.outcome == "renewed")]
            kept = ContractTerm.objects.filter(contract__external_id=deal.external_id).order_by("number")
            assert list(kept.values_list("value_cents", flat=True)) == [int(100 * price) for price in prices]

    def test_loading_again_adds_nothing(self):
        load()
        before = list(ContractTerm.objects.order_by("pk").values())
        assert agreeing.agree(shop=small(), business=Business.objects.get()) == 0
        assert list(ContractTerm.objects.order_by("pk").values()) == before

    def test_they_go_with_the_demo(self):
        load()
        removed = clearing.clear()
        assert removed.contracts == len(small().deals)
        assert not ContractTerm.objects.exists()
        assert not Company.objects.exists()

    def test_somebody_s_own_contract_stays_with_its_customer(self):
        load()
        company, customer = Company.objects.filter(source="demo").first(), Customer.objects.first()
        own = [make_contract(company=company), make_contract(customer=customer)]
        call_command("seed_demo", "--clear", skip_checks=True, verbosity=0)
        assert set(Contract.objects.all()) == set(own)
        assert (Company.objects.get(), Customer.objects.get()) == (company, customer)
        assert Business.objects.get().shows_contracts
