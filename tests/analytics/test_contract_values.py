"""Contracts by night: what is known on a day, totals that add up, rebuilt whole, and strange businesses."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from analytics.models import ContractTotal, ContractValue
from analytics.selectors import contract_values as selector
from analytics.services import contract_values
from core.models import Run
from crm import night
from customers.models import Company, Contract
from customers.services import contracts
from tests.contracts import last_term, make_contract
from tests.factories import make_business, make_customer, make_order
from tests.nights import pass_night

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 2, 9)
MARGIN = 0.4  # of a fresh business


def make_run(as_of=AS_OF, **settings):
    facts = {"discount_rate": "0", "margin_rate": "0.4", "currency": "USD"} | settings
    return Run.objects.create(
        as_of=as_of,
        revision=Run.objects.filter(as_of=as_of).count() + 1,
        state=Run.State.DONE,
        settings=facts,
        started_at=timezone.now(),
    )


def refresh(as_of=AS_OF, **settings):
    run = make_run(as_of, **settings)
    contract_values.refresh(run=run)
    contract_values.show(run=run)
    run.refresh_from_db()
    return run


def value(contract):
    return ContractValue.objects.get(pk=contract.pk)


def everything():
    return list(ContractValue.objects.order_by("pk").values()), list(
        ContractTotal.objects.order_by("owner", "owner_id").values_list("owner", "owner_id", "value_cents", "low_cents")
    )


def test_it_works():
    """€1,200 a year from 1 March 2025, 40 % margin; on 9 February 19 of 365 days are left."""
    contract = make_contract(renewals=0)
    run = refresh()

    found = value(contract)
    assert found.left_cents == round(120_000 * MARGIN * 19 / 365)
    assert (found.due_on, found.renewals, found.is_overdue) == (date(2026, 2, 28), 0, False)
    assert found.p_renew == pytest.approx(0.8, abs=0.01)  # the prior: nothing was decided
    assert found.beyond_cents == pytest.approx(found.p_renew * found.stake_cents, abs=1)
    assert found.value_cents == found.left_cents + found.beyond_cents
    assert found.low_cents <= found.value_cents <= found.high_cents
    assert run.stats["contracts"] == {"contracts": 1, "value_cents": found.value_cents}
    assert run.model["contracts"]["pooled"]["name"] == found.model == "Shrunken renewal rate"


def test_a_contract_s_own_margin():
    usual, own = make_contract(), make_contract(margin_rate="0.1")
    refresh()

    assert value(own).stake_cents == pytest.approx(value(usual).stake_cents / 4, abs=1)


def test_a_renewal_known_in_advance_adds_a_whole_term():
    contract = make_contract()
    refresh()
    before = value(contract).left_cents
    contracts.renew(contract_id=contract.pk, number=1, on=AS_OF, value_cents=200_000)
    refresh()

    found = value(contract)
    assert found.left_cents == before + round(200_000 * MARGIN)
    assert (found.renewals, found.due_on) == (1, date(2027, 2, 28))


def test_what_was_decided_later_was_not_known():
    contract = make_contract()
    refresh()
    before = everything()
    contracts.renew(contract_id=contract.pk, number=1, on=AS_OF + timedelta(days=1))
    make_contract(starts_on=AS_OF + timedelta(days=30), agreed_on=AS_OF + timedelta(days=1))
    ContractValue.objects.update(run_id=0)
    run = refresh()
    ContractValue.objects.update(run_id=before[0][0]["run_id"])

    assert everything() == before
    assert run.stats["contracts"]["contracts"] == 1


def test_agreed_and_not_begun_counts():
    contract = make_contract(starts_on=AS_OF + timedelta(days=30), agreed_on=AS_OF)
    refresh()

    assert value(contract).left_cents == round(120_000 * MARGIN)


def test_a_cancelled_contract_has_what_is_left_and_no_chance():
    contract = make_contract()
    contracts.cancel(contract_id=contract.pk, number=1, on=AS_OF)
    refresh()

    found = value(contract)
    assert (found.p_renew, found.beyond_cents) == (None, 0)
    assert found.value_cents == found.low_cents == found.high_cents == round(120_000 * MARGIN * 19 / 365)


def test_one_that_has_ended_has_no_row():
    contract = make_contract()
    contracts.cancel(contract_id=contract.pk, number=1, on=AS_OF)
    refresh(as_of=date(2026, 2, 28))

    assert not ContractValue.objects.exists()
    assert not ContractTotal.objects.exists()


def test_overdue_by_hand_loses_half_of_its_chance_and_automatic_does_not():
    by_hand, automatic = make_contract(), make_contract(renews_automatically=True)
    refresh(as_of=date(2026, 3, 10))

    assert value(by_hand).is_overdue
    assert value(automatic).is_overdue
    assert value(by_hand).p_renew == pytest.approx(value(automatic).p_renew / 2)
    assert value(by_hand).left_cents == 0


def test_who_renewed_before_is_likelier_to_renew():
    old = make_contract(starts_on=date(2020, 3, 1), renewals=5)
    young = make_contract()
    refresh()

    assert value(old).p_renew > value(young).p_renew
    assert value(old).stake_cents > value(young).stake_cents


def test_a_plan_with_decisions_of_its_own():
    """40 contracts of one plan: 36 were renewed each year, of another only half."""
    for number in range(40):
        for plan, kept in (("Loyal", 36), ("Fickle", 20)):
            contract = make_contract(plan=plan, starts_on=date(2024, 3, 1), renewals=int(number < kept))
            if number >= kept:
                contracts.cancel(contract_id=contract.pk, number=1, on=date(2025, 2, 1))
    run = refresh()

    told = {one["plan"]: one for one in run.model["contracts"]["plans"]}
    assert {plan: (one["decisions"], one["renewed"]) for plan, one in told.items()} == {
        "Loyal": (40, 36),
        "Fickle": (40, 20),
    }
    chances = dict(ContractValue.objects.values_list("model", "p_renew").distinct())
    loyal = ContractValue.objects.get(pk=Contract.objects.filter(plan="Loyal").first().pk)
    fickle = ContractValue.objects.get(pk=Contract.objects.filter(plan="Fickle").first().pk)
    assert loyal.p_renew > fickle.p_renew + 0.05
    assert set(chances) == {"sBG of the plan"}


def test_totals_are_the_sums_of_what_somebody_holds():
    """Ada has two contracts, one of them her company's, too; Bo's company is known from Bo alone."""
    acme, zenith = (Company.objects.create(name=name, external_id=name) for name in ("Acme", "Zenith"))
    ada, bo = make_customer(), make_customer(company=zenith)
    own = make_contract(customer=ada)
    shared = make_contract(customer=ada, company=acme, value_cents=300_000)
    bos = make_contract(customer=bo)
    firm = make_contract(company=acme)
    refresh()

    def total(owner, row):
        found = selector.total(owner, row.pk)
        return found.contracts, found.value_cents

    def sum_of(*ones):
        return len(ones), sum(value(one).value_cents for one in ones)

    assert total("customer", ada) == sum_of(own, shared)
    assert total("company", acme) == sum_of(shared, firm)
    assert total("customer", bo) == total("company", zenith) == sum_of(bos)
    assert ContractTotal.objects.count() == 4


def test_the_interval_of_a_sum_is_narrower_than_the_sum_of_intervals():
    customer = make_customer()
    held = [make_contract(customer=customer) for _ in range(12)]
    refresh()

    found = selector.total("customer", customer.pk)
    widths = sum(value(one).high_cents - value(one).low_cents for one in held)
    assert found.low_cents < found.value_cents < found.high_cents
    assert found.high_cents - found.low_cents < 0.9 * widths


def test_the_same_facts_give_the_same_rows():
    for number in range(6):
        make_contract(value_cents=10_000 * number, renewals=0)
    refresh()
    before = everything()
    ContractValue.objects.all().delete()
    run = refresh()

    rows, totals = everything()
    assert [row | {"run_id": 0} for row in rows] == [row | {"run_id": 0} for row in before[0]]
    assert totals == before[1]
    assert {row["run_id"] for row in rows} == {run.pk}


def test_another_contract_does_not_move_the_interval_of_the_first():
    first = make_contract()
    refresh()
    before = value(first)
    make_contract(value_cents=99_000_000)
    refresh()

    after = value(first)
    assert (after.low_cents, after.high_cents) == (before.low_cents, before.high_cents)


@pytest.mark.parametrize(
    "facts",
    [
        {"margin_rate": -1},
        {"margin_rate": 0},
        {"value_cents": 0},
        {"value_cents": 10**9},
        {"starts_on": date(1969, 12, 31), "term_months": 120, "renewals": 5},
        {"term_months": 1, "renewals": 11},
        {"starts_on": date(2026, 2, 9)},
    ],
)
@pytest.mark.parametrize("settings", [{}, {"currency": "JPY"}, {"discount_rate": "5"}, {"margin_rate": "-1"}])
def test_strange_contracts_are_finite_and_ordered(facts, settings):
    contract = make_contract(**facts)
    refresh(**settings)

    found = value(contract)
    assert 0 < found.p_renew < 1
    assert found.low_cents <= found.value_cents <= found.high_cents
    assert (found.low_cents < found.high_cents) is bool(found.stake_cents)
    assert abs(found.beyond_cents) <= abs(found.stake_cents)


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_every_interval_holds_its_value_whatever_was_decided(currency):
    """Sixty contracts of all kinds, most of them renewed: hardly anybody leaves, so that most outcomes are the same."""
    customer, many = make_customer(), []
    for number in range(60):
        months, renewals = (1, 3, 12, 120)[number % 4], number % 9 if number % 4 < 2 else number % 2
        starts_on = date(2014, 3, 1) if months == 120 else date(2024, 3, 1)
        facts = {"term_months": months, "starts_on": starts_on, "value_cents": (0, 7, 12_000, 10**9)[number // 4 % 4]}
        many.append(make_contract(customer=customer, plan=f"P{months}", renewals=renewals, **facts))
    contracts.cancel(contract_id=many[4].pk, number=last_term(many[4]).number, on=AS_OF)
    refresh(currency=currency)

    found = list(ContractValue.objects.all())
    assert len(found) > 50
    assert all(one.low_cents <= one.value_cents <= one.high_cents for one in found)
    is_open = [one for one in found if one.p_renew is not None and one.stake_cents]
    assert all(one.low_cents < one.high_cents for one in is_open)
    total = selector.total("customer", customer.pk)
    assert total.low_cents < total.value_cents < total.high_cents
    assert total.year_low_cents <= total.year_cents <= total.year_high_cents
    assert total.year_cents < total.three_years_cents < total.lifetime_cents < total.value_cents


def test_no_contracts_at_all():
    run = refresh()

    assert run.stats["contracts"] == {"contracts": 0, "value_cents": 0}
    assert run.model["contracts"]["pooled"]["reason"] == "no contract has come to a renewal"


@pytest.mark.django_db(transaction=True)
def test_a_night_does_it_and_a_change_makes_it_due_again():
    customer = make_customer()
    make_order(customer=customer, day=AS_OF - timedelta(days=5))
    contract = make_contract(customer=customer)
    first = pass_night(AS_OF)
    assert first.stats["contracts"]["contracts"] == 1
    assert night.start(as_of=AS_OF, at=timezone.now()).run == first

    contracts.cancel(contract_id=contract.pk, number=1, on=AS_OF)
    second = pass_night(AS_OF)

    assert (second.revision, value(contract).p_renew) == (2, None)


def test_a_night_for_a_past_day_leaves_what_is_shown():
    make_order(customer=make_customer(), day=AS_OF - timedelta(days=50))
    contract = make_contract()
    pass_night(AS_OF)
    before = everything()
    contracts.cancel(contract_id=contract.pk, number=1, on=AS_OF)
    pass_night(AS_OF - timedelta(days=20))

    assert everything() == before


class TestDue:
    TODAY = AS_OF + timedelta(days=1)

    def test_the_most_at_stake_comes_first(self):
        small, large = make_contract(value_cents=50_000), make_contract(value_cents=900_000)
        make_contract(starts_on=date(2025, 9, 1))  # due in August
        refresh()

        found = selector.due(day=self.TODAY)
        assert [one.row.contract.pk for one in found.rows] == [large.pk, small.pk]
        assert [one.stake_cents for one in found.rows] == [value(large).stake_cents, value(small).stake_cents]
        assert (found.contracts, found.overdue) == (2, 0)

    def test_overdue_ones_are_due(self):
        make_contract()
        refresh()

        found = selector.due(day=date(2026, 4, 1))
        assert (found.contracts, found.overdue) == (1, 1)
        assert found.rows[0].row.days_over == 32

    def test_decided_ones_are_not_due(self):
        renewed, cancelled = make_contract(), make_contract()
        contracts.renew(contract_id=renewed.pk, number=1, on=AS_OF)
        contracts.cancel(contract_id=cancelled.pk, number=1, on=AS_OF)

        assert not selector.due(day=self.TODAY)

    def test_without_a_night_they_are_there_without_figures(self):
        make_contract()

        (one,) = selector.due(day=self.TODAY).rows
        assert (one.p_renew, one.stake_cents) == (None, None)

    def test_queries(self, django_assert_num_queries):
        for number in range(4):
            make_contract(company=Company.objects.create(name="Acme", external_id=f"{number}"))
        refresh()

        with django_assert_num_queries(2):
            found = selector.due(day=self.TODAY)
            assert [str(one.row.contract.company) for one in found.rows] == ["Acme"] * 4

    def test_queries_of_nothing(self, django_assert_num_queries):
        make_business()
        with django_assert_num_queries(1):
            assert not selector.due(day=self.TODAY)


def test_the_chances_ahead_start_with_the_night_s_and_fall():
    contract = make_contract()
    refresh()

    found = selector.worth(contract)
    assert found.ahead[0].chance == pytest.approx(found.value.p_renew)
    chances = [one.chance for one in found.ahead]
    assert chances == sorted(chances, reverse=True)
    assert [one.renewals for one in found.ahead] == [1, 2, 3, 5]


def test_before_the_first_night_there_is_no_worth():
    assert selector.worth(make_contract()) is None


def test_owners_of_a_term():
    term = {"contract__customer_id": 1, "contract__company_id": None, "contract__customer__company_id": None}

    assert list(contract_values.owners(term)) == [("customer", 1)]
