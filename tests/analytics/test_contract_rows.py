"""Contracts within the value of those who hold them: stories with totals, nothing twice, past nights as they were."""

from datetime import date, timedelta

import numpy as np
import pytest
from django.http import QueryDict

from analytics.models import ContractTotal, Score
from analytics.selectors import worth
from analytics.services import contract_rows, contract_values, partitions, publishing
from core.models import Business
from core.pgcopy import Column
from crm.selectors import people, segments
from customers.models import Company, Contract, ContractTerm
from customers.services import contracts
from tests.contracts import make_contract
from tests.factories import make_business, make_customer, make_order, make_refund
from tests.nights import pass_night

AS_OF = date(2026, 2, 9)
MONEY = ("clv_cents", "clv_low_cents", "clv_high_cents", "clv_36m_cents", "clv_lifetime_cents", "contract_cents")


def buyer(**facts):
    """Bought on four days, the last a week ago."""
    customer = make_customer(**facts)
    for days in (300, 200, 90, 7):
        make_order(customer=customer, day=AS_OF - timedelta(days=days))
    return customer


def score(customer, run):
    return Score.objects.get(run=run, customer_id=customer.pk)


def total(customer):
    return ContractTotal.objects.get(owner="customer", owner_id=customer.pk)


def listed(run, **asked):
    data = QueryDict(mutable=True)
    data.update(asked)
    return people.query(data=data, run=run, business=Business.objects.get())


@pytest.mark.django_db
class TestNights:
    def test_the_value_is_that_of_orders_and_of_contracts(self):
        """Bo buys as Ada does, and has a contract: his value is hers and that of the contract, in every place."""
        ada, bo = buyer(), buyer()
        make_contract(customer=bo)
        run = pass_night(AS_OF)
        plain, raised, added = score(ada, run), score(bo, run), total(bo)

        assert plain.contract_cents == 0
        assert raised.contract_cents == added.year_cents > 0
        assert raised.clv_cents == plain.clv_cents + added.year_cents
        assert raised.clv_36m_cents == plain.clv_36m_cents + added.three_years_cents
        assert raised.clv_lifetime_cents == plain.clv_lifetime_cents + added.lifetime_cents
        assert raised.clv_low_cents < raised.clv_cents < raised.clv_high_cents
        assert (raised.orders, raised.value_cents, raised.historic_cents) == (
            plain.orders,
            plain.value_cents,
            plain.historic_cents,
        )

        whole = plain.clv_cents + raised.clv_cents
        assert run.stats["all"]["clv_cents"] == whole
        assert people.totals(listed(run)).clv_cents == whole
        assert [row.clv_cents for row in people.listing(listed(run), cursor="").rows] == [
            raised.clv_cents,
            plain.clv_cents,
        ]
        assert sum(state.clv_cents for state in segments.states(run)) == whole

    def test_what_orders_bill_is_not_counted_again(self):
        ada = buyer()
        contract = make_contract(customer=ada, is_billed_by_orders=True)
        run = pass_night(AS_OF)

        assert score(ada, run).contract_cents == 0
        assert total(ada).year_cents == total(ada).lifetime_cents == 0
        assert total(ada).value_cents > 0  # the contracts' own card says what they are worth
        alone = score(ada, run).clv_cents
        Contract.objects.filter(pk=contract.pk).update(is_billed_by_orders=False)
        contract_values.refresh(run=run)
        contract_values.show(run=run)
        assert total(ada).year_cents > 0
        assert score(ada, run).clv_cents == alone

    def test_readers_see_a_night_s_contracts_together_with_its_scores(self, monkeypatch):
        ada = buyer()
        contract = make_contract(customer=ada)
        pass_night(AS_OF)
        shown, publish = [total(ada).year_cents], publishing.publish

        def look_and_publish(**told):
            shown.append(total(ada).year_cents)
            return publish(**told)

        monkeypatch.setattr(publishing, "publish", look_and_publish)
        contracts.cancel(contract_id=contract.pk, number=1, on=AS_OF)
        pass_night(AS_OF + timedelta(days=1))
        assert shown[0] == shown[1] > total(ada).year_cents

    def test_a_tier_counts_contracts(self):
        """One of many equal customers has a contract worth more than all their orders: hers is tier A alone."""
        others = [buyer() for _ in range(5)]
        rich = buyer()
        make_contract(customer=rich, value_cents=500_000_00, renews_automatically=True)
        run = pass_night(AS_OF)

        tiers = dict(Score.objects.filter(run=run).values_list("customer_id", "value_tier"))
        assert tiers[rich.pk] == 1
        assert {tiers[one.pk] for one in others} == {3}

    def test_who_only_has_a_contract_is_in_the_list_and_its_total(self):
        ada, bo = buyer(), make_customer(country="Chile")
        make_contract(customer=bo)
        make_contract(company=Company.objects.create(name="Acme", external_id="1"))  # nobody's
        run = pass_night(AS_OF)

        rows = {row.customer.pk: row for row in people.listing(listed(run), cursor="").rows}
        assert (rows[bo.pk].score, rows[bo.pk].clv_cents) == (None, total(bo).year_cents)
        found = people.totals(listed(run))
        assert found.clv_cents == score(ada, run).clv_cents + total(bo).year_cents
        assert (found.customers, found.scored) == (2, 2)
        assert people.totals(listed(run, country="Chile")).clv_cents == total(bo).year_cents
        assert people.totals(listed(run, risk="low")).clv_cents in (0, score(ada, run).clv_cents)

    def test_who_only_has_a_contract_widens_no_interval_that_leaves_her_out(self):
        buyer()
        make_contract(customer=buyer())
        hers = make_contract(customer=make_customer(), value_cents=500_000_00)
        run = pass_night(AS_OF)
        contract_values.refresh(run=run)
        with_her = contract_rows.reach(run)

        ContractTerm.objects.filter(contract=hers).delete()
        contract_values.refresh(run=run)
        assert with_her == contract_rows.reach(run)
        assert with_her[0] > 0

    def test_a_billed_contract_alone_gives_no_value(self):
        buyer()
        make_contract(customer=make_customer(), is_billed_by_orders=True)
        found = people.totals(listed(pass_night(AS_OF)))

        assert (found.customers, found.scored) == (2, 1)

    def test_a_filter_by_value_finds_a_contract_alone_in_every_order(self):
        """Ada's orders all came back: she has a value by her contract, and no risk to sort by."""
        ada = make_customer()
        make_refund(order=make_order(customer=ada, day=AS_OF - timedelta(days=30)))
        bo = buyer()
        make_contract(customer=ada, value_cents=500_000_00)
        run = pass_night(AS_OF)

        for sort in ("-clv", "clv", "-risk", "risk", "-value", "last", "name"):
            rows = people.listing(listed(run, clv_min="0", sort=sort), cursor="").rows
            assert sorted(row.customer.pk for row in rows) == sorted([ada.pk, bo.pk]), sort

    def test_who_sent_everything_back_keeps_the_contract_s_value(self):
        ada = make_customer()
        make_refund(order=make_order(customer=ada, day=AS_OF - timedelta(days=30)))
        buyer()
        make_contract(customer=ada)
        run = pass_night(AS_OF)

        found = score(ada, run)
        assert (found.order_days, found.p_alive, found.segment) == (0, None, 0)
        assert found.clv_cents == found.contract_cents == total(ada).year_cents

    def test_a_contract_sold_at_a_loss_takes_value_off(self):
        ada, bo = buyer(), buyer()
        make_contract(customer=bo, margin_rate=-1, value_cents=90_000_000)
        run = pass_night(AS_OF)

        assert score(bo, run).contract_cents < 0
        assert score(bo, run).clv_cents == score(ada, run).clv_cents + score(bo, run).contract_cents

    def test_a_night_for_a_past_day_gives_the_same_rows_again(self):
        ada = buyer()
        contract = make_contract(customer=ada)
        first = pass_night(AS_OF)
        contracts.cancel(contract_id=contract.pk, number=1, on=AS_OF + timedelta(days=1))
        make_order(customer=buyer(), day=AS_OF + timedelta(days=1))
        later = pass_night(AS_OF + timedelta(days=1))
        held = total(ada).year_cents
        again = pass_night(AS_OF)

        assert again.is_past
        assert score(ada, later).contract_cents == held < score(ada, first).contract_cents
        assert score(ada, again).contract_cents == score(ada, first).contract_cents
        assert again.stats["contracts"] == first.stats["contracts"]
        assert total(ada).year_cents == held
        assert not any(map(partitions.runs_with, contract_values.PREFIXES))

    def test_costs_grow_with_what_orders_bring(self):
        ada, bo = buyer(), buyer()
        make_contract(customer=bo)
        run = pass_night(AS_OF)
        alone, both = (worth.of_score(score(one, run), run=run) for one in (ada, bo))

        assert [one.costs_cents for one in both.ahead] == [one.costs_cents for one in alone.ahead]
        assert [one.total_cents - one.contract_cents for one in both.ahead] == pytest.approx(
            [one.total_cents for one in alone.ahead], abs=2
        )


def table(clv, low, high, null=None):
    gone = None if null is None else np.array(null)
    amounts = {"clv_cents": clv, "clv_low_cents": low, "clv_high_cents": high}
    amounts |= {"clv_36m_cents": clv, "clv_lifetime_cents": clv}
    ids = {"customer_id": Column("int8", np.arange(1, len(clv) + 1))}
    return ids | {name: Column("int8", np.array(cents), gone) for name, cents in amounts.items()}


def of(columns, name):
    return columns[name].values.tolist()


class TestSums:
    @pytest.fixture
    def added(self, monkeypatch):
        """Contracts of the first and the last of four customers."""
        columns = {
            "year_cents": [100, 0, 0, 50],
            "year_low_cents": [60, 0, 0, 50],
            "year_high_cents": [130, 0, 0, 50],
            "three_years_cents": [300, 0, 0, 60],
            "lifetime_cents": [400, 0, 0, 70],
        }
        told = {name: np.array(cents) for name, cents in columns.items()}
        monkeypatch.setattr(contract_rows, "of_customers", lambda run, ids: told)

    @pytest.mark.usefixtures("added")
    def test_distances_add_up_as_sides_of_a_triangle(self):
        found = contract_rows.build(run=None, table=table([200, 200, 0, 200], [170, 170, 0, 170], [240, 240, 0, 240]))

        assert of(found, "clv_cents") == [300, 200, 0, 250]
        assert of(found, "clv_low_cents") == [300 - 50, 170, 0, 220]  # 30 and 40
        assert of(found, "clv_high_cents") == [300 + 50, 240, 0, 290]  # 40 and 30
        assert of(found, "contract_lifetime_cents") == [400, 0, 0, 70]

    @pytest.mark.usefixtures("added")
    def test_without_a_prediction_the_contract_is_the_value(self):
        everything_back = [True, True, True, True]
        found = contract_rows.build(run=None, table=table([0] * 4, [0] * 4, [0] * 4, null=everything_back))

        assert found["clv_cents"].null.tolist() == [False, True, True, False]
        assert [of(found, name)[0] for name in ("clv_low_cents", "clv_cents", "clv_high_cents")] == [60, 100, 130]

    @pytest.mark.django_db
    def test_nobody_at_all(self):
        make_business()

        assert contract_rows.of_customers(None, np.zeros(0, np.int64))["year_cents"].tolist() == []
