"""The pages of tiers: what stands there, what the rules would change, and a tier by hand."""

import pytest
from django.urls import reverse
from django.utils import timezone

from core.models import Job, Role, User
from loyalty.models import BirthdayGift, Move, Standing, Tier, TierPlan
from loyalty.services import tier_rules
from tests.factories import make_business, make_customer
from tests.forms import inputs, send
from tests.loyalty.tiers import make_member, make_posting, make_tiers

pytestmark = pytest.mark.django_db
LIST, RULES, MOVES = "/loyalty/tiers/", "/loyalty/tiers/rules/", "/loyalty/tiers/moves/"


def sign_in(client, role):
    make_business(currency="EUR")
    client.force_login(User.objects.create_user(f"{role}@example.com", role=role, name="Mara"))
    return client


@pytest.fixture
def manager(client, db):
    return sign_in(client, Role.MANAGER)


@pytest.fixture
def viewer(client, db):
    return sign_in(client, Role.VIEWER)


def text(response):
    return " ".join(response.content.decode().split())


class TestList:
    def test_it_works(self, viewer, django_assert_max_num_queries):
        silver, _ = make_tiers()
        member = make_member(silver)
        make_posting(member.customer, 250, at=timezone.now())
        Move.objects.create(customer=member.customer, after=silver, at=timezone.now(), reason="reached", value=100)
        with django_assert_max_num_queries(22):
            page = text(viewer.get(LIST))
        assert "1 member" in page
        assert "Silver" in page
        assert "Gold" in page
        assert "Reached" in page
        assert RULES not in page

    def test_nothing_yet(self, manager):
        page = text(manager.get(LIST))
        assert "No tiers yet" in page
        assert "Nobody has moved yet" in page
        assert RULES in page

    def test_money_has_a_currency(self, viewer):
        make_tiers(qualify_by="money")
        assert "€3.00" in text(viewer.get(LIST))

    def test_while_the_rules_are_applied(self, viewer):
        make_tiers()
        Job.objects.create(step=tier_rules.STEP, ready_at=timezone.now())
        assert "is being looked at again" in text(viewer.get(LIST))


class TestRules:
    def test_the_first_tiers(self, manager):
        response = send(
            manager,
            RULES,
            window="year",
            **{"tiers-0-name": "Bronze", "tiers-0-threshold": "500", "tiers-0-multiplier": "1.5"},
            save="1",
        )
        assert response.status_code == 302, text(response)
        tier = Tier.objects.get()
        assert (tier.name, tier.threshold, str(tier.multiplier), tier.rank) == ("Bronze", 500, "1.50", 1)
        assert (TierPlan.objects.get().window, TierPlan.objects.get().revision) == ("year", 1)
        assert Job.objects.get().step == tier_rules.STEP

    def test_the_preview_writes_nothing(self, manager):
        silver, _ = make_tiers()
        make_posting(make_member(silver).customer, 250, at=timezone.now())
        response = send(manager, RULES, **{"tiers-1-threshold": "200"}, preview="1")
        assert "What would change" in text(response)
        assert "<dt>Rise</dt> <dd> 1 </dd>" in text(response)
        assert Tier.objects.get(rank=2).threshold == 300
        assert not Job.objects.exists()
        assert inputs(response)["tiers-1-threshold"] == ["200"]

    def test_money_is_kept_in_minor_units(self, manager):
        make_tiers(qualify_by="money")
        assert inputs(manager.get(RULES))["tiers-1-threshold"] == ["3.00"]
        send(manager, RULES, **{"tiers-1-threshold": "12.50"}, save="1")
        assert Tier.objects.get(rank=2).threshold == 1250

    def test_a_tier_is_taken_away(self, manager):
        make_tiers()
        assert send(manager, RULES, **{"tiers-0-DELETE": "on"}, save="1").status_code == 302
        assert Tier.objects.get(retired_at=None).name == "Gold"

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"tiers-1-threshold": "100"}, "begin at the same value"),
            ({"tiers-1-name": "silver"}, "Two tiers have the same name"),
            ({"tiers-1-threshold": "1.5"}, "Points are whole numbers."),
            ({"tiers-1-threshold": ""}, "0 is everybody"),
            ({"tiers-1-threshold": "9999999999999"}, "is not a number"),
            ({"tiers-1-multiplier": "0"}, "greater than or equal to 0.01"),
            ({"grace_days": "4000"}, "less than or equal to 366"),
        ],
    )
    def test_it_refuses(self, wrong, said, manager):
        make_tiers()
        response = send(manager, RULES, **wrong, save="1")
        assert response.status_code == 422
        assert said in text(response)
        assert TierPlan.objects.get().revision == 0

    def test_somebody_was_faster(self, manager):
        make_tiers()
        form = inputs(manager.get(RULES))
        assert manager.post(RULES, form | {"save": "1"}).status_code == 302
        assert "Somebody else changed the rules" in text(manager.post(RULES, form | {"save": "1"}))

    def test_a_viewer_gets_403(self, viewer):
        assert viewer.get(RULES).status_code == 403


class TestMoves:
    def test_it_works(self, viewer):
        silver, gold = make_tiers()
        Move.objects.create(
            customer=make_customer(name="Ada"), before=gold, after=silver, at=timezone.now(), reason="ended", value=0
        )
        page = text(viewer.get(MOVES))
        assert "Ada" in page
        assert "Period ended" in page

    def test_nothing_yet(self, viewer):
        assert "Nobody has moved yet" in text(viewer.get(MOVES))


class TestByHand:
    def address(self, customer):
        return reverse("loyalty:tier_give", args=[customer.pk])

    def test_it_works(self, manager):
        _, gold = make_tiers()
        ada = make_customer(name="Ada")
        response = send(manager, self.address(ada), tier=str(gold.pk), until="2999-12-31", note="Founder's friend")
        assert response.url == f"/customers/{ada.pk}/"
        assert Standing.objects.get().tier == gold
        assert "Founder&#x27;s friend · Mara" in text(manager.get(self.address(ada)))

    @pytest.mark.parametrize("wrong", [{"until": "2020-01-01"}, {"note": ""}, {"until": ""}, {"tier": "0"}])
    def test_it_refuses(self, wrong, manager):
        _, gold = make_tiers()
        told = {"tier": str(gold.pk), "until": "2999-12-31", "note": "A friend"} | wrong
        assert send(manager, self.address(make_customer()), **told).status_code == 422
        assert not Standing.objects.exists()

    def test_without_tiers(self, manager):
        assert "Set them up first." in text(manager.get(self.address(make_customer())))


class TestBirthdayGift:
    def test_it_works(self, manager):
        _, gold = make_tiers()
        data = {"points": "250", "tier": str(gold.pk)}
        assert manager.post("/loyalty/tiers/birthday/", data).status_code == 302
        assert BirthdayGift.objects.values_list("points", "tier").get() == (250, gold.pk)

    def test_it_refuses(self, manager):
        response = manager.post("/loyalty/tiers/birthday/", {"points": "-1", "tier": ""})
        assert response.status_code == 422
        assert not BirthdayGift.objects.exclude(points=0).exists()
