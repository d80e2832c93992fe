"""Whoever writes about a customer in the moment of a merge writes about the one who stands for her."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connections, transaction

from crm import joining
from crm.portal import code_mails
from customers.models import CodeMail, Contract, Cost, Customer, Phone, Tagging
from customers.places import NOWHERE
from customers.selectors import consents as said
from customers.services import consents, contracts, costs, people_lock, portal, tags
from customers.services.consents import Witness
from customers.services.contracts import Agreement
from customers.services.costs import Spent
from loyalty.models import Act, Action, Adjustment, Code, Event, Referral, ReferralCode, Reply, Use
from loyalty.referral_refusals import AlreadyReferred
from loyalty.services import actions, adjustments, codes, events, offers, referrals
from tests.factories import make_business, make_customer
from tests.loyalty import shop
from tests.loyalty.accounts import NOW, disagreements, totals
from tests.loyalty.offers import make_code, make_offer
from tests.loyalty.referrals import open_plan

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 20_261_122
ROUNDS = 3
LONGEST = 20  # seconds: far more than any of this takes
WRITTEN = {
    Adjustment: "customer",
    Code: "holder",
    Use: "customer",
    Act: "customer",
    Referral: "friend",
    ReferralCode: "customer",
    Reply: "customer",
    Contract: "customer",
    Cost: "customer",
    Phone: "customer",
    Tagging: "customer",
    CodeMail: "customer",
}


@pytest.fixture
def writers(transactional_db):
    """What may be written about a customer by her number: each once for each name."""
    make_business()
    shop.open_programme()
    open_plan()
    Action.objects.create(code="review", name="Review", points=5, cap=100)
    offer, word = make_offer(), make_code(max_uses=None)
    friendly = referrals.code_for(customer_id=make_customer().pk, at=NOW - timedelta(days=1)).code
    when = {"starts_at": NOW + timedelta(days=9), "visible_from": NOW, "reply_by": NOW + timedelta(days=8)}
    event, tag = Event.objects.create(name="Tasting", places=9, **when), tags.find_or_make(name="Tea")
    profile = {"name": "Twin", "locale": "", "time_zone": "", "birthday": "", "place": NOWHERE}
    spent = {"source": "mailer", "kind": "sms", "spent_on": NOW.date(), "quantity": Decimal(1)}
    plan = {"plan": "Basic", "agreed_on": NOW.date(), "starts_on": NOW.date(), "value_cents": 100}
    return {
        "adjust": lambda pk, name: adjustments.adjust(customer_id=pk, points=3, key=name, at=NOW, reason="Sorry"),
        "use": lambda pk, name: offers.redeem(text=word.code, customer_id=pk, key=name, at=NOW),
        "hold a code": lambda pk, name: codes.draw(offer=offer, holder=Customer.objects.get(pk=pk)),
        "act": lambda pk, name: actions.act(customer_id=pk, action="review", key=name, at=NOW),
        "come by a friend": lambda pk, name: _claim(friendly, pk),
        "recommend": lambda pk, name: referrals.code_for(customer_id=pk, at=NOW),
        "reply": lambda pk, name: events.reply_for(event_id=event.pk, customer_id=pk, comes=True, at=NOW),
        "agree": lambda pk, name: consents.say(
            customer_id=pk, told={"email": True}, wording="News?", witness=Witness(source="portal", at=NOW)
        ),
        "sign": lambda pk, name: contracts.add(
            agreement=Agreement(customer=Customer.objects.get(pk=pk), **plan), on=NOW.date(), external_id=name
        ),
        "cost": lambda pk, name: costs.record(costs=[Spent(customer_id=pk, external_id=name, **spent)]),
        "call": lambda pk, name: portal.change_profile(customer_id=pk, phone="+4917012345", **profile),
        "tag": lambda pk, name: tags.add(segment=tag, customer_ids=[pk], by=None, at=NOW),
        "mail": lambda pk, name: code_mails.put(address="a@example.com", code="1", language="en", customer_id=pk),
    }


def _claim(text, pk):
    """Whoever came by a friend before, also under the other number, is refused: as good."""
    with suppress(AlreadyReferred):
        referrals.claim(text=text, customer_id=pk, at=NOW)


def left_with(other):
    """What names the customer."""
    return {model.__name__ for model, column in WRITTEN.items() if model.objects.filter(**{column: other}).exists()}


def in_thread(pool, action):
    def run():
        try:
            return action()
        finally:
            connections.close_all()

    return pool.submit(run)


def at_once(writers, chance, *, into, other):
    """Writers about the other and the merge begin within some milliseconds of each other, in any order."""
    actions = [lambda name=name: writers[name](other.pk, f"{name} {other.pk}") for name in writers]
    actions.append(lambda: joining.merge(into=into.pk, other=other.pk, by=None, at=NOW))

    def begin(action, pause):
        time.sleep(pause)
        action()

    order = [(action, chance.uniform(0, 0.03)) for action in chance.sample(actions, len(actions))]
    with ThreadPoolExecutor(5) as pool:
        begun = [in_thread(pool, partial(begin, action, pause)) for action, pause in order]
        for one in begun:
            one.result(LONGEST)


def test_nothing_stays_with_who_was_merged(writers):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for _round in range(ROUNDS):
        ada, twin = make_customer(), make_customer()
        at_once(writers, chance, into=ada, other=twin)
        assert left_with(twin) == set()
        assert left_with(ada) == {model.__name__ for model in WRITTEN}
        assert said.given(ada.pk) == {"email"}
        assert totals(ada) == (8, 0, 0)
    assert Event.objects.get().taken == Reply.objects.count() == ROUNDS
    assert disagreements() == []


def beside_a_merge(writer):
    """The merge is done and not yet committed when somebody writes about the other; returns what stays with her."""
    ada, twin = make_customer(), make_customer()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            joining.merge(into=ada.pk, other=twin.pk, by=None, at=NOW)
            writing = in_thread(pool, lambda: writer(twin.pk, "beside"))
            time.sleep(0.1)
        writing.result(LONGEST)
    return left_with(twin)


@pytest.mark.parametrize("name", ["tag", "cost"])
def test_without_asking_who_stands_for_her_it_would_stay(writers, name, monkeypatch):
    """The control: the writer believes the number that it was given."""
    assert beside_a_merge(writers[name]) == set()
    monkeypatch.setattr(people_lock, "writing_about", lambda pk: pk)
    monkeypatch.setattr(people_lock, "writing_about_all", lambda pks: {pk: pk for pk in pks})
    assert beside_a_merge(lambda pk, _name: writers[name](pk, "another")) != set()
