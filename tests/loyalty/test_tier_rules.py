"""What changes when the rules of tiers change: the preview, and the job that does it."""

from decimal import Decimal

import pytest

from core import business, engine
from core.models import Job
from loyalty.models import Move, Standing, Tier
from loyalty.selectors import tier_census, tier_values
from loyalty.services import tier_rules, tiers
from loyalty.services.tier_rules import Item, Proposal
from loyalty.services.tiers import Moved
from tests.factories import DAY, make_customer, make_order
from tests.loyalty.tiers import make_member, make_plan, make_posting, make_tier, make_tiers, noon

pytestmark = pytest.mark.django_db
NEXT_YEAR = DAY.replace(year=DAY.year + 1)


@pytest.fixture
def boss(django_user_model):
    return django_user_model.objects.create(email="boss@example.com")


def item(tier=None, **fields):
    told = {"name": "New", "threshold": 500, "hue": "blue", "multiplier": Decimal(1), "early_days": 0, "benefits": ""}
    if tier is not None:
        told |= {name: getattr(tier, name) for name in told}
    return Item(**{"id": tier and tier.pk} | told | fields)


def proposal(*items, **fields):
    plan = tier_values.plan()
    told = {name: getattr(plan, name) for name in tier_rules.PLAN_FIELDS}
    return Proposal(**told | {"tiers": items} | fields)


def save(*items, boss, may_lower=False, **fields):
    seen, wanted = tier_values.plan().revision, proposal(*items, **fields)
    return tier_rules.save(proposal=wanted, made_from=seen, may_lower=may_lower, by=boss, at=noon(DAY))


def preview(*items, may_lower=False, **fields):
    wanted = proposal(*items, **fields)
    return tier_census.preview(
        of=wanted.scheme,
        multipliers=[one.multiplier for one in wanted.ranked],
        may_lower=may_lower,
        at=noon(DAY),
    )


def shop():
    """One who earned 120 in Silver, one who earned 320 in Gold, one in Gold for nothing, one with 90 in no tier."""
    silver, gold = (Tier.objects.get(pk=tier.pk) for tier in make_tiers())
    people = [make_member(tier, ends_on=NEXT_YEAR) for tier in (silver, gold, gold)]
    newcomer = make_customer()
    for customer, points in ((people[0].customer, 120), (people[1].customer, 320), (newcomer, 90)):
        make_posting(customer, points)
    return silver, gold, people, newcomer


class TestPreview:
    def test_what_stays_as_it_is(self):
        silver, gold, _, _ = shop()
        found = preview(item(silver), item(gold))
        assert (found.rise, found.fall, found.join, found.stay, found.kept) == (0, 0, 0, 3, 1)
        assert (found.points, found.points_more, found.is_estimated) == (440, 0, False)

    def test_lower_thresholds(self):
        silver, gold, _, _ = shop()
        found = preview(item(silver, threshold=80), item(gold, threshold=110))
        assert (found.rise, found.fall, found.join, found.stay) == (1, 0, 1, 2)
        assert found.by_rank == {1: 1, 2: 3}

    def test_higher_thresholds_lower_nobody_unless_asked(self):
        silver, gold, _, _ = shop()
        items = item(silver, threshold=200), item(gold, threshold=300)
        assert (preview(*items).fall, preview(*items).kept) == (0, 2)
        asked = preview(*items, may_lower=True)
        assert (asked.fall, asked.stay, asked.kept) == (2, 1, 0)

    def test_what_another_multiplier_would_have_given(self):
        """120 points were given at 1.25 and 320 at 1.5: without the multiplier 96 and 213.3."""
        silver, gold, _, _ = shop()
        found = preview(item(silver, multiplier=Decimal("2.5")), item(gold, multiplier=Decimal(3)))
        assert (found.points, found.points_then, found.points_more) == (440, 880, 440)

    def test_a_tier_that_is_taken_away(self):
        silver, gold, _, _ = shop()
        found = preview(item(silver))
        assert (found.fall, found.stay, found.by_rank) == (2, 1, {1: 3})
        assert preview(item(gold)).by_rank == {0: 1, 1: 2}

    def test_a_large_shop_is_estimated(self, monkeypatch):
        silver, gold, _, _ = shop()
        monkeypatch.setattr(tier_census, "MOST_LOOKED_AT", 1)
        assert preview(item(silver), item(gold)).is_estimated

    def test_nobody_at_all(self):
        assert preview(item()).by_rank == {}

    def test_a_rule_that_nobody_meets(self):
        make_customer()
        assert preview(item(threshold=10**12)).join == 0


class TestSaving:
    def test_it_works(self, boss):
        silver, gold, people, newcomer = shop()
        job = save(item(silver, threshold=80), item(gold, threshold=110), boss=boss)
        assert job.payload == {"may_lower": False, "by": boss.pk}
        assert engine.work_off(steps=tier_rules.STEPS, seconds=60) == 1
        assert Job.objects.get(pk=job.pk).result == {"rows": 2, "risen": 2, "fallen": 0}
        assert tier_rules.at_work() is None
        assert set(Standing.objects.filter(tier=gold).values_list("pk", flat=True)) == {one.pk for one in people}
        assert Standing.objects.get(pk=newcomer.pk).tier == silver

    def test_what_the_preview_said_happens(self, boss):
        silver, gold, _, _ = shop()
        items = item(silver, threshold=200), item(gold, threshold=300), item(name="Top", threshold=310)
        said = preview(*items, may_lower=True)
        save(*items, boss=boss, may_lower=True)
        moved = tier_rules.apply(may_lower=True, at=noon(DAY))
        assert (moved.risen, moved.fallen) == (said.rise + said.join, said.fall) == (1, 2)

    def test_doing_it_again_changes_nothing(self, boss):
        silver, gold, _, _ = shop()
        save(item(silver, threshold=200), item(gold), boss=boss, may_lower=True)
        assert tier_rules.apply(may_lower=True, at=noon(DAY)).fallen == 2
        assert tier_rules.apply(may_lower=True, at=noon(DAY)) == Moved()
        assert set(Move.objects.values_list("reason", flat=True)) == {"rule"}

    def test_a_name_alone_is_no_work(self, boss):
        silver, gold, _, _ = shop()
        assert save(item(silver, name="Gold"), item(gold, name="Silver"), boss=boss) is None
        assert list(Tier.objects.order_by("rank").values_list("name", flat=True)) == ["Gold", "Silver"]

    def test_ranks_follow_the_thresholds(self, boss):
        silver, gold, _, _ = shop()
        save(item(silver, threshold=900), item(gold), boss=boss)
        assert list(Tier.objects.order_by("rank").values_list("name", "rank")) == [("Gold", 1), ("Silver", 2)]

    def test_a_tier_is_taken_away_and_its_name_is_free(self, boss):
        silver, gold, people, _ = shop()
        save(item(silver), item(name="Gold", threshold=1000), boss=boss)
        assert Tier.objects.get(pk=gold.pk).retired_at == noon(DAY)
        tier_rules.apply(may_lower=False, at=noon(DAY))
        assert set(Standing.objects.filter(tier=silver).values_list("pk", flat=True)) == {one.pk for one in people}

    def test_before_the_job_is_done_time_decides_by_the_new_rules(self, boss):
        silver, _, people, _ = shop()
        save(item(silver), boss=boss)
        gone = people[2]
        assert tiers.settle(customer_ids=[gone.pk], business=business.current(), at=noon(DAY)).fallen == 1
        assert Move.objects.get().reason == "rule"
        assert tiers.settle(customer_ids=[gone.pk], business=business.current(), at=noon(DAY)) == Moved()

    def test_from_points_to_money_and_for_life(self, boss):
        silver, gold, people, _ = shop()
        make_order(customer=people[0].customer, value_cents=400)
        save(item(silver), item(gold), boss=boss, qualify_by="money", window="lifetime")
        assert tier_rules.apply(may_lower=True, at=noon(DAY)) == Moved(3, 1, 2)
        assert set(Standing.objects.values_list("ends_on", "until")) == {(None, None)}
        save(item(silver), item(gold), boss=boss, qualify_by="money", window="year", grace_days=7)
        tier_rules.apply(may_lower=False, at=noon(DAY))
        assert Standing.objects.get(pk=people[0].pk).until == NEXT_YEAR.replace(month=1, day=7)

    def test_tiers_by_hand_hold(self, boss):
        silver, gold = make_tiers()
        raised = make_member(gold, ends_on=NEXT_YEAR, set_by="raised")
        lowered = make_member(silver, ends_on=NEXT_YEAR, set_by="lowered")
        make_posting(lowered.customer, 500)
        assert tier_rules.apply(may_lower=True, at=noon(DAY)) == Moved()
        assert raised.tier == gold

    @pytest.mark.parametrize("wrong", [{"threshold": 100}, {"name": "silver"}])
    def test_two_tiers_alike(self, wrong, boss):
        silver, _ = make_tiers()
        with pytest.raises(tier_rules.DoNotRise):
            save(item(silver), item(**wrong), boss=boss)
        assert make_plan().revision == 0


class TestCensus:
    def test_who_is_near(self):
        silver, _, _, _ = shop()
        make_posting(make_member(silver, ends_on=NEXT_YEAR).customer, 240)
        assert tier_census.census(at=noon(DAY)).near() == {0: 1, 1: 1, 2: 0}

    def test_a_tier_from_zero(self):
        make_tier(threshold=0)
        assert tier_census.census(at=noon(DAY)).near() == {}
