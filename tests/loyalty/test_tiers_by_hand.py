"""A tier that somebody gives, with a reason and a last day."""

from datetime import timedelta

import pytest

from core import business
from loyalty.models import Move
from loyalty.services import tiers
from loyalty.services.tiers import Moved
from tests.factories import DAY, make_customer
from tests.loyalty.tiers import A_YEAR_ON, YESTERDAY, history, make_posting, make_tiers, midnight, noon, settle, stands

pytestmark = pytest.mark.django_db


class TestByHand:
    def give(self, customer, tier, *, until=DAY, note="Our first customer", by):
        return tiers.set_by_hand(
            customer_id=customer.pk,
            tier=tier,
            until=until,
            note=note,
            by=by,
            business=business.current(),
            at=noon(DAY),
        )

    def test_it_works(self, django_user_model):
        _, gold = make_tiers()
        ada, by = make_customer(), django_user_model.objects.create(email="m@example.com")
        self.give(ada, gold, by=by)
        assert stands(ada) == ("Gold", DAY, DAY, 0)
        move = Move.objects.get()
        assert (move.reason, move.note, move.by, move.after) == ("hand", "Our first customer", by, gold)
        assert midnight(DAY + timedelta(days=1))[0] == Moved(1, 0, 1)
        assert history(ada)[-1] == ("Gold", "-", "hand-ended", 0)

    def test_lowered_by_hand_stays_there(self, django_user_model):
        silver, _ = make_tiers()
        ada, by = make_customer(), django_user_model.objects.create(email="m@example.com")
        make_posting(ada, 300)
        assert self.give(ada, silver, by=by).set_by == "lowered"
        assert settle(ada) == Moved()
        assert midnight(DAY + timedelta(days=1))[0] == Moved(1, 1, 0)
        assert history(ada)[-1] == ("Silver", "Gold", "hand-ended", 300)

    def test_the_same_tier_only_moves_the_end(self, django_user_model):
        _, gold = make_tiers()
        ada, by = make_customer(), django_user_model.objects.create(email="m@example.com")
        self.give(ada, gold, by=by)
        self.give(ada, gold, until=A_YEAR_ON, by=by)
        assert stands(ada)[2] == A_YEAR_ON
        assert len(history(ada)) == 1

    @pytest.mark.parametrize("wrong", [{"until": YESTERDAY}, {"note": " "}])
    def test_it_needs_a_reason_and_an_end(self, wrong, django_user_model):
        _, gold = make_tiers()
        with pytest.raises(tiers.NotATier):
            self.give(make_customer(), gold, by=django_user_model.objects.create(email="m@example.com"), **wrong)
