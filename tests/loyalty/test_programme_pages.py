"""The programme as staff see it: settings, rules with their dry run, trying out, and switching it on."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from core.models import Business, Edit, Role, User
from customers.models import Category, Product, Segment
from loyalty.models import Action, EarningRule, Posting, Programme
from loyalty.selectors import earning
from loyalty.services import crediting
from tests.factories import make_business, make_customer
from tests.forms import inputs, send
from tests.loyalty.shop import line, make_rule, open_programme, order

HOME, SETTINGS, OPEN, TRY, ADD = (
    *("/loyalty/", "/loyalty/settings/", "/loyalty/open/", "/loyalty/try/", "/loyalty/rules/add/"),
)
RULE = {"name": "A point for each euro", "kind": "money", "points": "1", "per": "1"}


def as_role(client, role):
    make_business(currency="EUR", time_zone="Europe/Berlin")
    client.force_login(User.objects.create(email=f"{role}@example.com", role=role))
    return client


@pytest.fixture
def manager(client, db):
    return as_role(client, Role.MANAGER)


@pytest.fixture
def viewer(client, db):
    return as_role(client, Role.VIEWER)


class TestOverview:
    def test_it_says_what_to_do_first(self, manager):
        page = manager.get(HOME).content.decode()
        assert "Not switched on" in page
        assert ADD in page
        assert OPEN not in page

    def test_rules_and_figures(self, manager):
        open_programme(pending_days=0)
        make_rule(name="A point for each euro")
        customer = make_customer()
        crediting.credit_orders(order_ids=[order(customer, line("1200.00"), at=timezone.now()).pk], at=timezone.now())
        page = manager.get(HOME).content.decode()
        assert "A point for each euro" in page
        assert "1,200" in page

    def test_a_viewer_reads_and_changes_nothing(self, viewer):
        rule = make_rule()
        page = viewer.get(HOME).content.decode()
        assert rule.name in page
        assert SETTINGS not in page
        for path in (SETTINGS, OPEN, ADD, f"/loyalty/rules/{rule.pk}/edit/"):
            assert viewer.get(path).status_code == 403
        assert viewer.post(f"/loyalty/rules/{rule.pk}/end/").status_code == 403


class TestSettings:
    def test_it_saves(self, manager):
        answer = send(manager, SETTINGS, name="Bean club", worth="2.50", expiry="inactivity", expiry_months="24")
        assert answer.status_code == 302
        row = Programme.objects.get()
        assert (row.name, row.worth_cents, row.expiry, row.expiry_months) == ("Bean club", 250, "inactivity", 24)
        assert Edit.objects.filter(table="loyalty_programme").exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("worth", "0"),
            ("worth", "0.001"),
            ("pending_days", "-1"),
            ("grace_days", "0"),
            ("expiry_day", "32"),
            ("name", ""),
        ],
    )
    def test_it_refuses(self, manager, field, value):
        answer = send(manager, SETTINGS, **{field: value})
        assert answer.context["form"].errors[field]
        assert Programme.objects.get().name == "Rewards"

    def test_a_life_of_no_months(self, manager):
        answer = send(manager, SETTINGS, expiry="months", expiry_months="0")
        assert answer.context["form"].errors["expiry_months"]


class TestTryOut:
    """Settings on what really happened, before they are saved."""

    def test_it_shows_and_saves_nothing(self, manager):
        open_programme(expiry="never")
        make_rule(starts_at=timezone.now() - timedelta(days=300))
        order(make_customer(), line("100.00"), at=timezone.now() - timedelta(days=200))
        page = send(manager, SETTINGS, expiry="months", expiry_months="2", expiry_period="day", **{"try": "1"})
        seen = page.context["seen"].seen
        assert (seen.now.earned, seen.now.expired, seen.now.active) == (100, 0, 100)
        assert (seen.then.expired, seen.then.active, seen.lose) == (100, 0, 1)
        assert [one.label for one in page.context["seen"].changes] == ["Points expire", "Months", "Rounded up"]
        assert "keep the last day they were given" in page.content.decode()
        assert Programme.objects.get().expiry == "never"

    def test_what_was_tried_stands_in_the_form_and_is_saved_next(self, manager):
        page = send(manager, SETTINGS, pending_days="3", **{"try": "1"})
        assert manager.post(SETTINGS, inputs(page)).status_code == 302
        assert Programme.objects.get().pending_days == 3

    def test_a_mistake_is_told_at_its_field(self, manager):
        page = send(manager, SETTINGS, pending_days="-1", name="Bean club", **{"try": "1"})
        assert "seen" not in page.context
        assert page.context["form"].errors["pending_days"]
        assert inputs(page)["pending_days"] == ["-1"]
        assert inputs(page)["name"] == ["Bean club"]

    def test_htmx_gets_the_form_alone(self, manager):
        told = inputs(manager.get(SETTINGS)) | {"try": ["1"]}
        page = manager.post(SETTINGS, told, headers={"HX-Request": "true"}).content.decode()
        assert page.lstrip().startswith("<form")
        assert "There are no paid orders" in page


class TestRules:
    def test_add(self, manager):
        answer = send(manager, ADD, **RULE, save="1")
        assert answer.status_code == 302
        rule = EarningRule.objects.get()
        assert (rule.points, rule.per_cents, rule.is_multiplied) == (1, 100, True)

    def test_look_before_you_save(self, manager):
        customer = make_customer()
        for _ in range(3):
            order(customer, line("100.00"), at=timezone.now() - timedelta(days=5))
        answer = send(manager, ADD, **RULE | {"points": "2", "try": "1"})
        seen = answer.context["after"]
        assert (seen.orders, seen.earning, seen.customers, seen.points, seen.cost_cents) == (3, 3, 1, 600, 600)
        assert answer.context["before"].points == 0
        assert not EarningRule.objects.exists()

    def test_a_rule_for_a_segment(self, manager):
        segment = Segment.objects.create(scheme="rfm", slug="champions", name="Champions")
        send(manager, ADD, name="Welcome", kind="segment", points="200", segment=str(segment.pk), save="1")
        assert EarningRule.objects.get().segment == segment

    @pytest.mark.parametrize(
        ("told", "field"),
        [
            ({"per": ""}, "per"),
            ({"per": "0"}, "per"),
            ({"points": "-1"}, "points"),
            ({"kind": "segment"}, "segment"),
            ({"product": "NOBODY"}, "product"),
            ({"starts_at": "2026-03-02T00:00", "ends_at": "2026-03-01T00:00"}, "ends_at"),
        ],
    )
    def test_it_refuses(self, manager, told, field):
        answer = send(manager, ADD, **RULE | told | {"save": "1"})
        assert answer.status_code == 422
        assert answer.context["form"].errors[field]

    def test_product_and_category(self, manager):
        category = Category.objects.create(name="Coffee")
        Product.objects.create(sku="BEANS")
        answer = send(manager, ADD, **RULE, product="BEANS", category=str(category.pk), save="1")
        assert answer.context["form"].errors["category"]

    def test_a_rule_that_orders_were_credited_by_is_replaced(self, manager):
        open_programme()
        old = make_rule()
        send(manager, f"/loyalty/rules/{old.pk}/edit/", points="3", save="1")
        old.refresh_from_db()
        new = EarningRule.objects.exclude(pk=old.pk).get()
        assert (old.points, new.points) == (1, 3)
        assert old.ends_at == new.starts_at

    def test_before_the_programme_is_on_it_is_changed(self, manager):
        old = make_rule()
        send(manager, f"/loyalty/rules/{old.pk}/edit/", points="3", save="1")
        assert EarningRule.objects.get().points == 3

    def test_end(self, manager):
        rule = make_rule()
        assert manager.post(f"/loyalty/rules/{rule.pk}/end/").status_code == 302
        rule.refresh_from_db()
        assert rule.ends_at <= timezone.now()


class TestActions:
    def test_add_and_edit(self, manager):
        send(manager, "/loyalty/actions/add/", name="Review", code="review", points="50", cap="2", period="year")
        action = Action.objects.get()
        assert (action.points, action.cap, action.period, action.is_on) == (50, 2, "year", True)
        send(manager, f"/loyalty/actions/{action.pk}/edit/", points="60", code="other")
        action.refresh_from_db()
        assert (action.points, action.code) == (60, "review")
        assert "Review" in manager.get(HOME).content.decode()

    @pytest.mark.parametrize("told", [{"points": "0"}, {"cap": "0"}, {"code": "not a code"}, {"name": ""}])
    def test_it_refuses(self, manager, told):
        told = {"name": "Review", "code": "review", "points": "50", "cap": "2", "period": "year"} | told
        assert send(manager, "/loyalty/actions/add/", **told).status_code == 422
        assert not Action.objects.exists()


class TestOpen:
    def test_it_shows_what_is_credited_and_switches_on(self, manager):
        make_rule(starts_at=timezone.now() - timedelta(days=1))
        customer = make_customer()
        placed = order(customer, line("100.00"), at=timezone.now() - timedelta(days=40))
        since = (timezone.localdate() - timedelta(days=60)).isoformat()
        seen = send(manager, OPEN, credit_from=since, look="1").context["seen"]
        assert (seen.orders, seen.customers, seen.points) == (1, 1, 100)
        assert not Programme.objects.get().is_open
        send(manager, OPEN, credit_from=since, open="1")
        assert Programme.objects.get().credit_from == date.fromisoformat(since)
        crediting.credit_orders(order_ids=[placed.pk], at=timezone.now())
        assert Posting.objects.get().asked == 100
        assert Business.objects.get().has_loyalty

    def test_not_without_a_rule(self, manager):
        send(manager, OPEN, open="1")
        assert not Programme.objects.get().is_open

    def test_not_twice(self, manager):
        make_rule()
        opened = open_programme().opened_at
        manager.post(OPEN, {"open": "1"})
        assert Programme.objects.get().opened_at == opened


class TestTry:
    def test_an_order(self, manager):
        make_rule()
        order(make_customer(), line("100.00"), line("9.90", sku="CUP"), number="81")
        quote = manager.get(TRY, {"order": "81"}).context["quote"]
        assert (quote.lines, quote.points) == ([99, 10], 109)

    def test_a_basket(self, manager):
        make_rule()
        Product.objects.create(sku="BEANS", unit_price=Decimal("12.50"))
        quote = manager.get(TRY, {"sku": "BEANS", "quantity": "3"}).context["quote"]
        assert quote.points == 37
        assert quote.cost_cents == 37

    @pytest.mark.parametrize(
        ("asked", "problem"),
        [
            ({"order": "404"}, "no order “404”"),
            ({"sku": "404"}, "no product “404”"),
            ({"quantity": "3"}, "Name an order or a product"),
            ({"sku": "CUP"}, "Write a unit price"),
        ],
    )
    def test_it_refuses(self, manager, asked, problem):
        make_rule()
        Product.objects.create(sku="CUP")
        assert problem in manager.get(TRY, asked).content.decode()

    def test_without_rules(self, manager):
        assert "No rule holds now" in manager.get(TRY).content.decode()

    def test_a_part_of_many_orders_is_scaled_up(self, manager, monkeypatch):
        monkeypatch.setattr("loyalty.services.dry_runs.LOOKED_AT", 5)
        make_rule()
        customer = make_customer()
        for _ in range(10):
            order(customer, line("100.00"), at=timezone.now())
        seen = manager.get(TRY).context["seen"]
        assert (seen.orders, seen.points, seen.is_estimated) == (10, 1000, True)

    def test_nobody_s_tier_counts_for_a_guest(self, manager):
        assert earning.multiplier_of(None, timezone.now()) == 100


def test_the_form_shows_what_is_there(manager):
    open_programme(worth_cents=250)
    assert inputs(manager.get(SETTINGS))["worth"] == ["2.50"]
