"""The ledger beside the model, in any order of things that people and time can do to it.

The short form runs with every test; LEDGER_RUNS=2000 LEDGER_STEPS=50 is the long one. SOAK=1 is the same.
"""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from loyalty.models import Account, Adjustment
from loyalty.problems import AccountHasHolds, HoldEnded, InsufficientPoints, SameAccount, TooMuchBack
from loyalty.selectors import points as selector
from loyalty.services import adjustments, merging, points, settling
from tests.factories import make_customer
from tests.loyalty.accounts import NOW, disagreements
from tests.loyalty.model import FOR_EVER, Model, Refused
from tests.loyalty.planted import planted
from tests.loyalty.shop import open_programme

pytestmark = pytest.mark.django_db

SOAK = os.environ.get("SOAK") == "1"
RUNS = int(os.environ.get("LEDGER_RUNS", "2000" if SOAK else "15"))
STEPS = int(os.environ.get("LEDGER_STEPS", "50" if SOAK else "30"))
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
REFUSALS = (InsufficientPoints, HoldEnded, TooMuchBack, SameAccount, AccountHasHolds)
CUSTOMERS = 2

whose = st.integers(0, CUSTOMERS - 1)
amounts = st.integers(1, 12)
days = st.integers(0, 4)
lives = st.none() | st.integers(1, 6)
some_or_all = amounts | st.none()
policies = st.sampled_from(["only_pending", "within_balance", "allow_negative"])


class Ledger(RuleBasedStateMachine):
    earnings, spends, holds = Bundle("earnings"), Bundle("spends"), Bundle("holds")

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        open_programme()  # points that are given by hand live as long as it says: for ever
        self.customers = [make_customer().pk for _ in range(CUSTOMERS)]
        self.model, self.number, self.last = Model(range(CUSTOMERS)), 0, None

    def teardown(self):
        try:
            self.all_is_settled_and_adds_up()
            assert disagreements() == []
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def time(self, day):
        return None if day == FOR_EVER else NOW + timedelta(days=day)

    @property
    def at(self):
        return self.time(self.model.now)

    def both(self, modelled, service, **facts):
        """The model's answer and the ledger's; None for both when both refuse."""
        self.number += 1
        facts |= {"key": f"key:{self.number}", "at": facts.get("at", self.at)}
        try:
            expected = modelled()
        except Refused:
            with pytest.raises(REFUSALS):
                service(**facts)
            return None, None
        done = service(**facts)
        self.last = service, facts, done.pk
        return expected, done

    @initialize(target=earnings, delay=days, life=lives)
    def begin(self, delay, life):
        """Everybody has something to spend and something that waits, so that few steps are refusals."""
        return multiple(
            *(self.earn(who, 10, 0, life, 0) for who in range(CUSTOMERS)),
            *(self.earn(who, 6, delay, None, 0) for who in range(CUSTOMERS)),
        )

    @initialize(target=spends, amount=some_or_all)
    def begin_spending(self, amount):
        return multiple(*(spent for who in range(CUSTOMERS) if isinstance(spent := self.redeem(who, amount), tuple)))

    @rule(target=earnings, who=whose, amount=amounts, delay=days, life=lives, late=days)
    def earn(self, who, amount, delay, life, late):
        """Points of today, or of some days ago."""
        at = self.model.now - late
        points.settle(customer_id=self.customers[who], at=self.at)
        earning, posting = self.both(
            lambda: self.model.earn(who, amount, at=at, delay=delay, life=life),
            points.earn,
            customer_id=self.customers[who],
            points=amount,
            at=self.time(at),
            active_at=self.time(at + delay),
            expires_at=None if life is None else self.time(at + delay + life),
        )
        return earning, posting.pk

    @rule(number=days)
    def time_passes(self, number):
        self.model.wait(number)

    @rule(who=whose)
    def settle(self, who):
        points.settle(customer_id=self.customers[who], at=self.at)

    @rule()
    def everybody_is_settled(self):
        settling.settle_all(at=self.at)

    @rule()
    def everybody_s_points_become_active(self):
        settling.activate_all(at=self.at)

    @rule(target=spends, who=whose, amount=some_or_all)
    def redeem(self, who, amount):
        amount = amount or max(self.model.balance(who), 1)
        facts = {"customer_id": self.customers[who], "points": amount}
        spend, posting = self.both(lambda: self.model.redeem(who, amount), points.redeem, **facts)
        return (spend, posting.pk) if posting else multiple()

    @rule(target=holds, who=whose, amount=amounts, number=st.integers(1, 5))
    def hold(self, who, amount, number):
        facts = {"customer_id": self.customers[who], "points": amount, "until": self.time(self.model.now + number)}
        hold, row = self.both(lambda: self.model.hold(who, amount, number), points.hold, **facts)
        return (hold, row.pk) if row else multiple()

    @rule(target=spends, held=holds)
    def commit(self, held):
        hold, pk = held
        _nothing, posting = self.both(lambda: self.model.commit(hold), points.commit, hold_id=pk)
        return (hold, posting.pk) if posting else multiple()

    @rule(held=holds)
    def release(self, held):
        hold, pk = held
        self.both(lambda: self.model.release(hold), points.release, hold_id=pk)

    @rule(spent=spends, amount=amounts, grace=st.integers(0, 3))
    def give_back(self, spent, amount, grace):
        spend, pk = spent
        facts = {"posting_id": pk, "points": amount, "grace_days": grace}
        self.both(lambda: self.model.give_back(spend, amount, grace), points.give_back, **facts)

    @rule(earned=earnings, amount=some_or_all, policy=policies)
    def reverse(self, earned, amount, policy):
        earning, pk = earned
        amount = amount or max(earning.points - earning.taken, 1)
        facts = {"posting_id": pk, "points": amount, "policy": policy}
        taken, posting = self.both(lambda: self.model.reverse(earning, amount, policy), points.reverse, **facts)
        assert posting is None or -(posting.points + posting.pending_points) == taken

    @rule(who=whose, amount=amounts, is_gift=st.booleans())
    def adjust(self, who, amount, is_gift):
        facts = {"customer_id": self.customers[who], "points": amount if is_gift else -amount, "limit": 100}
        give = lambda: self.model.earn(who, amount, at=self.model.now)  # noqa: E731
        take = lambda: self.model.take_away(who, amount)  # noqa: E731
        _earning, row = self.both(give if is_gift else take, adjustments.adjust, reason="A test", **facts)
        assert row is None or row.state == Adjustment.State.DONE

    @precondition(lambda self: self.model.now > 2)
    @rule(into=whose, other=whose)
    def merge(self, into, other):
        facts = {"into": self.customers[into], "other": self.customers[other]}
        self.both(lambda: self.model.merge(into, other), merging.merge, **facts)

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_call_again(self):
        service, facts, pk = self.last
        assert service(**facts).pk == pk

    @invariant()
    def readers_see_what_the_model_says(self):
        for who, customer in enumerate(self.customers):
            seen, model = selector.standing(customer_id=customer, at=self.at), self.model
            told = (model.balance(who), model.pending(who), model.held(who))
            assert (seen.balance, seen.pending, seen.held) == told
            lots = [(self.time(active), self.time(expires), left) for active, expires, left in model.lots(who)]
            assert [(lot.active_at, lot.expires_at, lot.left) for lot in seen.lots] == lots

    def all_is_settled_and_adds_up(self):
        for who, customer in enumerate(self.customers):
            points.settle(customer_id=customer, at=self.at)
            row = Account.objects.filter(customer=customer, merged_into=None).first()
            if row:
                told = (self.model.balance(who), *self.model.lifetime(who))
                assert (row.balance, row.earned, row.spent, row.expired, row.reversed) == told


@pytest.mark.faults  # for `make soak`
def test_the_ledger_does_what_the_model_says():
    run(Ledger, settings=settings(max_examples=RUNS, stateful_step_count=STEPS, print_blob=True, **QUIET))


BUGS = {
    "spends the latest first": ("loyalty_take", "ORDER BY l.expires_at, l.earned_at, l.id", "ORDER BY l.id DESC"),
    "spends pending points": ("loyalty_earn", "waits boolean := active > moment", "waits boolean := false"),
    "lends": ("loyalty_spend", "acct.balance >= amount", "acct.balance + 1 >= amount"),
    "forgets to expire": ("loyalty_settled", "next.due > moment", "next.due > moment OR next.turn = 3"),
    "is a day late": ("loyalty_settled", "next.due > moment", "next.due + interval '1 day' > moment"),
    "gives back too often": ("loyalty_give_back", "back + amount > origin.asked", "amount > origin.asked"),
    "gives back to the wrong lot": ("loyalty_refill", "ORDER BY id DESC", "ORDER BY id"),
    "takes back too often": ("loyalty_take_back", "gone + amount > origin.asked", "amount > origin.asked"),
    "takes back from others first": (
        "loyalty_take_back",
        "own_pending := least(amount, own.pending)",
        "own_pending := 0",
    ),
    "counts a key again": ("loyalty_recall", "WHERE key = its_key", "WHERE key = its_key AND id < 0"),
}
# These take a rare turn of events to show: too many runs for every day.
RARE = {
    "forgets debts": ("loyalty_pay_debt", "before.balance < 0", "false"),
    "commits twice": ("loyalty_end_hold", "SET state = 'committed'", "SET state = 'open'"),
    "merges without lots": (
        "loyalty_merge",
        "SET account_id = acct.id WHERE",
        "SET account_id = acct.id WHERE false AND",
    ),
    "merges without counters": ("loyalty_merge", "acct.earned := acct.earned + other.earned", "NULL"),
}
BUGS |= RARE if SOAK else {}


@pytest.mark.parametrize("bug", BUGS)
def test_it_finds_a_planted_bug(bug):
    quick = settings(
        max_examples=2_000 if SOAK else 60, stateful_step_count=30, derandomize=True, phases=[Phase.generate], **QUIET
    )
    noticed = (Exception, pytest.fail.Exception)  # an assertion, the database refuses, or a refusal that does not come
    with planted(*BUGS[bug]), pytest.raises(noticed):
        run(Ledger, settings=quick)
