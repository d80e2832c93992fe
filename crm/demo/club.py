"""The demo's programme: its rules, tiers, rewards, offers and prices, as a manager would have set them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from crm.demo import catalogue, club_friends
from customers.models import Category, Product
from loyalty.models import Action, Code, Event, Offer, PriceList, Programme, Reward, Tier
from loyalty.selectors import programme as programmes
from loyalty.selectors import tier_values
from loyalty.services import codes, events, offer_settings, price_lists, referrals, rules, shelf

NAME: Final = "Juniper Club"
SETTINGS: Final = {
    "name": NAME,
    "pending_days": 14,
    "expiry": Programme.Expiry.MONTHS,
    "expiry_months": 12,
    "expiry_period": Programme.Period.MONTH,
}
# name, from so many cents within twelve months, colour, multiplier, days of early access, benefits
TIERS: Final = [
    ("Bronze", 0, "bronze", "1", 0, "Points on every order"),
    ("Silver", 250_00, "silver", "1.25", 0, "A quarter more points\nCupping evenings"),
    (
        "Gold",
        700_00,
        "gold",
        "1.5",
        3,
        "Half as many points again\nNew rewards three days early\nGold prices on coffee",
    ),
]


ACTIONS: Final = [
    {"code": "profile", "name": "Profile filled in", "points": 100},
    {"code": "review", "name": "Review written", "points": 50, "cap": 2, "period": "month"},
]


@dataclass(frozen=True, kw_only=True)
class Prize:
    """A reward, how often it is chosen, and what the higher tiers pay for it."""

    item: shelf.Item
    weight: float
    sku: str = ""
    by_tier: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Deal:
    """An offer: its code, for which tiers and categories, what people put into their baskets when they use it."""

    code: str
    fields: Mapping[str, Any]
    basket: tuple[str, ...]
    uses: int
    tiers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    is_personal: bool = False


def _prize(name: str, kind: str, points: int, weight: float, *, sku: str = "", **more: Any) -> Prize:
    by_tier = more.pop("by_tier", {})
    item = shelf.Item(name=name, kind=kind, cost_points=points, **more)
    return Prize(item=item, weight=weight, sku=sku, by_tier=by_tier)


PRIZES: Final = [
    _prize("A flat white", "product", 200, 12, cap=4, cap_period="month", description="At the counter, any milk."),
    _prize("€5 off", "money", 450, 24, money_off_cents=500),
    _prize("€10 off", "money", 850, 20, money_off_cents=1000),
    _prize("Bakery code", "code", 300, 10, description="A loaf at the bakery next door."),
    _prize("A month of coffee by post", "trial", 900, 10, trial_days=30, cap=1),
    _prize("Tasting box", "product", 1400, 12, sku="GFT-TASTE", by_tier={"Silver": 1250, "Gold": 1000}),
    _prize("Travel mug, moss", "product", 1200, 6, sku="CUP-GO", stock=8, cap=1, description="The last of its kind."),
    _prize("Five kilos of beans", "product", 4200, 10, description="For the office, of any blend."),
    _prize("Barista evening", "product", 2600, 8, sku="GFT-EVENING", cap=1, cap_period="year"),
]
COME_BACK: Final = "€5 to come back"


def deals(opened_at: datetime, ended_at: datetime) -> list[Deal]:
    """`ended_at` is the end of the history: of the offers one is over by then, the others run on."""
    summer = {"starts_at": opened_at + timedelta(days=120), "ends_at": opened_at + timedelta(days=240)}
    return [
        Deal(
            code="TEA10",
            fields={"name": "Ten percent off tea", "kind": "percent", "percent": Decimal(10), "is_listed": True},
            categories=("Tea",),
            basket=("TRT-SHORT", catalogue.TEA[0].sku),
            uses=24,
        ),
        Deal(
            code="HOMEFREE",
            fields={"name": "Free delivery from €40", "kind": "free_shipping", "minimum_cents": 40_00}
            | {"is_listed": True},
            basket=("GFT-TASTE", "CUP-MOSS"),
            uses=30,
        ),
        Deal(
            code="WELCOMEBACK",
            fields={"name": COME_BACK, "kind": "amount", "amount_cents": 500, "minimum_cents": 25_00}
            | {"max_per_customer": 1},
            basket=("POT-GLASS",),
            uses=16,
            is_personal=True,
        ),
        Deal(
            code="SWEET",
            fields={"name": "A dark chocolate on top", "kind": "free_item", "minimum_cents": 20_00, "is_listed": True},
            basket=("CUP-ESP", "TRT-OAT"),
            uses=14,
            tiers=("Silver", "Gold"),
        ),
        Deal(
            code="COLDBREW15",
            fields={"name": "Fifteen percent off brewing", "kind": "percent", "percent": Decimal(15), **summer},
            categories=("Brewing",),
            basket=("BRW-DRIP",),
            uses=20,
        ),
        Deal(
            code="GOLDDAYS",
            fields={"name": "Gold days", "kind": "percent", "percent": Decimal(20), "max_discount_cents": 20_00}
            | {"starts_at": ended_at - timedelta(days=90), "ends_at": ended_at + timedelta(days=30), "is_listed": True},
            basket=("POT-STONE", "BRW-CARAFE"),
            uses=12,
            tiers=("Gold",),
        ),
    ]


def set_up(*, opened_at: datetime) -> None:
    """The programme with its rules and tiers, switched on."""
    programmes.current()
    rules.change(row=rules.locked(), settings=SETTINGS)
    for name, points, category in (("3 points for each €1", 3, ""), ("5 points for each €1 of brewing", 5, "Brewing")):
        found = Category.objects.filter(name=category).first()
        if found is not None or not category:
            item = rules.RuleItem(name=name, kind="money", points=points, category=found)
            rules.add(item=item, at=opened_at)
    Action.objects.bulk_create([Action(**action) for action in ACTIONS])
    _set_tiers()
    rules.switch_on(credit_from=opened_at.date(), at=opened_at)
    terms = referrals.Terms(
        advocate_points=300,
        friend_points=200,
        least_cents=club_friends.LEAST_CENTS,
        window_days=90,
        pending_days=14,
        most_friends=20,
        is_open=True,
    )
    referrals.set_terms(terms=terms, at=opened_at)
    for friends, points in ((3, 400), (5, 1000)):
        referrals.set_step(friends=friends, points=points)


def _set_tiers() -> None:
    """Straight into the tables: a change by hand would have a worker look at everybody."""
    plan = tier_values.plan()
    plan.qualify_by, plan.window, plan.grace_days, plan.revision = "money", "rolling", 30, 1
    plan.save()
    for rank, (name, threshold, hue, multiplier, early, benefits) in enumerate(TIERS, start=1):
        told = {"threshold": threshold, "hue": hue, "early_days": early, "benefits": benefits}
        Tier.objects.create(name=name, rank=rank, multiplier=Decimal(multiplier), **told)


def fill_shelf() -> list[tuple[Reward, float]]:
    """The rewards, each with its weight."""
    tiers = {tier.name: tier.pk for tier in Tier.objects.all()}
    made = []
    for prize in PRIZES:
        reward = shelf.add(item=prize.item, prices={tiers[name]: points for name, points in prize.by_tier.items()})
        if prize.sku:
            Reward.objects.filter(pk=reward.pk).update(product=Product.objects.filter(sku=prize.sku).first())
        if reward.kind == Reward.Kind.CODE:
            shelf.add_codes(reward_id=reward.pk, texts=[f"LOAF-{number:04d}" for number in range(1, 121)])
        made.append((reward, prize.weight))
    return made


def make_offer(deal: Deal) -> Offer:
    fields = dict(deal.fields)
    if fields["kind"] == "free_item":
        fields["free_product"] = Product.objects.filter(sku="TRT-DARK").first()
    terms = offer_settings.Terms(
        fields=fields,
        categories=list(Category.objects.filter(name__in=deal.categories)),
        tiers=list(Tier.objects.filter(name__in=deal.tiers)),
    )
    offer = offer_settings.add(terms=terms, by=None)
    if not deal.is_personal:
        codes.choose(offer=offer, text=deal.code)
    return offer


def make_prices() -> PriceList:
    """Gold members pay less for coffee."""
    settings = price_lists.Settings(
        name="Gold prices",
        is_active=True,
        priority=10,
        segment=None,
        tier=Tier.objects.get(name="Gold"),
        min_months=None,
        starts_at=None,
        ends_at=None,
        floor=Decimal("0.1"),
    )
    row = price_lists.add(settings=settings)
    coffee = Category.objects.filter(name="Coffee").first()
    price_lists.set_price(price_list=row, category=coffee, percent=Decimal(5))
    return row


def make_event(*, ended_at: datetime) -> Event:
    plan = events.Plan(
        name="Cupping evening: six coffees of Ethiopia",
        place="The roastery, Dublin",
        about="We roast, you slurp. Bring somebody.",
        starts_at=ended_at + timedelta(days=23, hours=18),
        visible_from=ended_at - timedelta(days=20),
        reply_by=ended_at + timedelta(days=18),
        tier=Tier.objects.get(name="Silver"),
        places=12,
    )
    return events.add(plan=plan)


def member_address() -> str:
    """Of the customer to sign in as at /me/, "" where there is none: the last who was given a code to come back."""
    mine = Code.objects.filter(offer__name=COME_BACK, used=0).exclude(holder=None).order_by("-pk").first()
    emails = mine.holder.emails if mine and mine.holder else None
    found = emails.filter(address__endswith="@example.com").order_by("pk").first() if emails else None
    return found.address if found else ""
