"""Two customers are one person: everything of both is one customer's, or nothing is changed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import models

from core.models import Change
from crm import joining
from crm.selectors import timeline
from customers.models import (
    Consent,
    Customer,
    Email,
    Identity,
    ImportBatch,
    Membership,
    Merge,
    Order,
    Phone,
    PortalAccess,
    Segment,
    Tagging,
)
from customers.selectors import consents as said
from customers.selectors import history, merged
from customers.services import buyers, consents, imports, persons, portal, tags, undo, upserts
from customers.services.buyers import Buyer
from customers.services.consents import Witness
from customers.services.joining import STATEMENTS, Archived, MergedBefore, Themselves
from loyalty.models import Account, Standing, Tier
from loyalty.selectors import standing
from loyalty.services import points
from loyalty.services.joining import FOLLOWS
from tests.customers.rows import AT, order_row
from tests.factories import make_business, make_customer, make_order
from tests.loyalty import shop
from tests.loyalty.accounts import DAY, NOW, disagreements, totals

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    make_business()
    return make_customer(name="Ada", external_id="ada")


@pytest.fixture
def twin(ada):
    return make_customer(name="Ada L.", external_id="twin", city="Bonn", country="Germany", street="Am Wall 3")


def merge(into, other, by=None, at=NOW):
    return joining.merge(into=into.pk, other=other.pk, by=by, at=at)


def values(model, customer, column):
    return list(model.objects.filter(customer=customer).order_by("pk").values_list(column, flat=True))


class TestStory:
    def test_points_and_refunds_of_both_add_up(self, ada, twin):
        """Earn 120 and 30, merge, redeem 140, and what comes back of the other's order goes from the one account."""
        shop.open_programme(pending_days=0, refund_policy=shop.Policy.ALLOW_NEGATIVE)
        shop.make_rule(points=1, per_cents=100)
        first, second = shop.order(ada, shop.line(120)), shop.order(twin, shop.line(30))
        shop.credit(first, second)
        assert (shop.totals(ada), shop.totals(twin)) == ((120, 0), (30, 0))

        done = merge(ada, twin)
        assert (done.moved["orders"], done.moved["points"]) == (1, 30)
        assert (shop.totals(ada), shop.totals(twin)) == ((150, 0), (0, 0))
        assert shop.credit(first, second) == 0  # nothing is taken from one and given to the other

        points.redeem(customer_id=ada.pk, points=140, key="all but ten", at=NOW)
        shop.refund(Order.objects.get(pk=second.pk), 1, at=NOW + DAY)
        shop.credit(second, at=NOW + DAY)
        assert shop.totals(ada) == (-20, 0)
        assert disagreements() == []

    def test_a_hold_is_a_refusal_and_everything_is_as_before(self, ada, twin):
        points.earn(customer_id=ada.pk, points=120, key="ada", at=NOW)
        points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
        points.hold(customer_id=twin.pk, points=10, key="hold", at=NOW, until=NOW + DAY)
        make_order(customer=twin)
        with pytest.raises(joining.OnHold, match="on hold"):
            merge(ada, twin)
        assert (totals(ada), totals(twin)) == ((120, 0, 0), (20, 0, 10))
        assert Order.objects.get().customer == twin
        assert values(Identity, twin, "external_id") == ["twin"]
        assert not Merge.objects.exists()

    def test_once_the_hold_is_over_they_can_be_merged(self, ada, twin):
        points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
        points.hold(customer_id=twin.pk, points=10, key="hold", at=NOW, until=NOW + DAY)
        merge(ada, twin, at=NOW + DAY)
        assert totals(ada) == (30, 0, 0)

    def test_twice_is_once(self, ada, twin):
        points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
        assert merge(ada, twin) == merge(ada, twin)
        assert totals(ada) == (30, 0, 0)

    def test_the_timeline_tells_of_a_merge_once_and_only_of_points(self, ada, twin):
        shop.open_programme()
        points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
        merge(ada, twin)
        third = make_customer()
        merge(third, ada)
        merge(third, make_customer())
        told = timeline.timeline(customer_id=third.pk, business=make_business(has_loyalty=True), kind="points")
        lines = [(event.title, event.text) for _day, events in told.days for event in events]
        assert lines == [
            ("30 points", f"Came over from number {ada.pk}"),
            ("30 points", f"Came over from number {twin.pk}"),
            ("+30 points", "Earned"),
        ]

    def test_a_page_that_knows_the_old_number_shows_the_price_of_the_tier(self, ada, twin):
        gold, until = Tier.objects.create(name="Gold", rank=1, threshold=100), NOW.date() + timedelta(days=90)
        told = {"since": NOW, "set_by": "raised", "ends_on": until, "until": until, "value": 0}
        Standing.objects.create(customer=twin, tier=gold, **told)
        merge(ada, twin)
        person = standing.person(twin.pk, at=NOW, zone=make_business().zone)
        assert (person.id, person.tier_id) == (ada.pk, gold.pk)

    def test_without_a_programme_nobody_gets_an_account(self, ada, twin):
        merge(ada, twin)
        assert not Account.objects.exists()


class TestFacts:
    def test_what_names_the_other_now_names_the_one(self, ada, twin):
        for customer, address in ((twin, "old@example.com"), (ada, "ada@example.com"), (twin, "ada@example.com")):
            Email.objects.create(customer=customer, address=address)
        Phone.objects.create(customer=twin, number="+491701234567")
        merge(ada, twin)
        assert values(Identity, ada, "external_id") == ["ada", "twin"]
        assert values(Email, ada, "address") == ["ada@example.com", "old@example.com"]  # hers stays the first
        assert values(Phone, ada, "number") == ["+491701234567"]
        assert "old@example.com" in Customer.objects.get(pk=ada.pk).search
        assert not values(Identity, twin, "pk") + values(Email, twin, "pk") + values(Phone, twin, "pk")

    def test_a_program_that_knows_the_other_writes_of_the_one(self, ada, twin):
        merge(ada, twin)
        saved = upserts.customer(source="shop", external_id="twin", told={"channel": "search"})
        (known,) = buyers.settle(buyers=[Buyer(source="shop", external_id="twin")]).values()
        assert {saved.row.pk, known, shop.order(twin, shop.line(10)).customer_id} == {ada.pk}

    def test_what_is_empty_is_filled_and_an_address_comes_whole(self, ada, twin):
        Customer.objects.filter(pk=twin.pk).update(birthday="1815-12-10", custom={"size": "M", "note": "x"})
        Customer.objects.filter(pk=ada.pk).update(country="Germany", custom={"size": "L", "note": ""})
        merge(ada, twin)
        ada.refresh_from_db()
        assert (ada.name, ada.birthday, ada.custom) == ("Ada", "1815-12-10", {"size": "L", "note": "x"})
        assert (ada.street, ada.city, ada.country) == ("Am Wall 3", "Bonn", "Germany")

    def test_addresses_are_not_mixed(self, ada, twin):
        Customer.objects.filter(pk=ada.pk).update(city="Köln")
        merge(ada, twin)
        ada.refresh_from_db()
        assert (ada.street, ada.city, ada.country) == ("", "Köln", "")

    def test_orders_go_with_their_lines_and_readers_are_told(self, ada, twin):
        placed = make_order(customer=twin)
        Change.objects.all().delete()
        merge(ada, twin)
        placed.refresh_from_db()
        assert {placed.customer_id, placed.lines.get().customer_id} == {ada.pk}
        told = set(Change.objects.values_list("kind", "object_id"))
        assert {("customer_orders", ada.pk), ("customer_orders", twin.pk), ("order", placed.pk)} <= told

    def test_tags_and_segments(self, ada, twin):
        for tag, customers in (("Tea", [ada, twin]), ("Beans", [twin])):
            tags.add(segment=tags.find_or_make(name=tag), customer_ids=[one.pk for one in customers], by=None, at=NOW)
        rfm = Segment.objects.create(scheme="rfm", slug="new", name="New")
        Membership.objects.create(customer=twin, scheme="rfm", segment=rfm, changed_on=NOW.date())
        merge(ada, twin, at=NOW + DAY)
        assert list(Tagging.objects.filter(customer=ada, removed_at=None).values_list("segment__name", flat=True)) == [
            "Tea",
            "Beans",
        ]
        assert not Tagging.objects.filter(customer=twin, removed_at=None).exists()
        assert not Membership.objects.filter(customer=twin).exists()

    def test_who_could_sign_in_as_the_other_sees_the_one(self, ada, twin):
        Email.objects.create(customer=twin, address="twin@example.com")
        user = portal.enter(address="twin@example.com", at=NOW)
        merge(ada, twin)
        assert PortalAccess.objects.get(user=user).customer == ada
        assert portal.find(address="twin@example.com").customer_id == ada.pk

    def test_the_other_stays_as_a_pointer(self, ada, twin):
        merge(ada, twin)
        twin.refresh_from_db()
        assert twin.archived_at == NOW
        assert not persons.restore(customer_id=twin.pk)
        third = make_customer()
        merge(third, ada)
        assert merged.survivor(twin.pk) == third.pk
        assert merged.everybody(third.pk) == [third.pk, ada.pk, twin.pk]

    def test_both_histories_tell_of_it(self, ada, twin, manager):
        make_order(customer=twin)
        merge(ada, twin, by=manager)
        for customer in (ada, twin):
            (entry,) = history.of("customer", customer.pk, business=make_business())
            assert (entry.who, entry.verb) == ("Mara Manager", "merged")
            assert [(step.label, step.after) for step in entry.steps[1:]] == [("Orders", "1")]


class TestConsents:
    @pytest.mark.parametrize(
        ("own", "theirs", "after"),
        [
            ("yes", "no", set()),  # the stricter one
            ("no", "yes", set()),
            ("yes", "", {"email"}),
            ("", "yes", {"email"}),  # she said so, under the other name
            ("", "no", set()),
        ],
    )
    def test_a_no_beats_a_yes_and_a_yes_fills_a_silence(self, ada, twin, own, theirs, after):
        for customer, word in ((ada, own), (twin, theirs)):
            _say(customer, word)
        merge(ada, twin)
        assert said.given(ada.pk) == after
        assert Consent.objects.filter(customer=twin).exists() == bool(theirs)  # proof is not moved

    def test_the_wording_is_the_one_that_was_read(self, ada, twin):
        _say(twin, "yes")
        merge(ada, twin)
        carried = said.newest(ada.pk)["email"]
        assert (carried.wording, carried.source, carried.at) == ("Send me news.", "merge", NOW)

    def test_the_longer_pause_holds(self, ada, twin):
        Customer.objects.filter(pk=ada.pk).update(messages_paused_until="2026-04-01")
        consents.pause(customer_id=twin.pk, until=NOW.date() + timedelta(days=90))
        merge(ada, twin)
        assert Customer.objects.get(pk=ada.pk).messages_paused_until == NOW.date() + timedelta(days=90)


def _say(customer, word):
    """Yes; no, after a yes; or nothing."""
    for is_given in {"yes": [True], "no": [True, False], "": []}[word]:
        witness = Witness(source="portal", at=NOW - DAY)
        consents.say(customer_id=customer.pk, told={"email": is_given}, wording="Send me news.", witness=witness)


class TestRefusals:
    def test_oneself(self, ada):
        with pytest.raises(Themselves):
            merge(ada, ada)

    def test_who_was_merged_before(self, ada, twin):
        merge(ada, twin)
        for pair in ((twin, ada), (make_customer(), twin), (twin, make_customer())):
            with pytest.raises(MergedBefore, match="was merged into"):
                merge(*pair)

    def test_who_is_archived_does_not_take_over(self, ada, twin):
        persons.archive(customer_id=ada.pk, at=NOW)
        with pytest.raises(Archived, match="Restore"):
            merge(ada, twin)
        merge(twin, ada)

    def test_nobody(self, ada):
        with pytest.raises(Customer.DoesNotExist):
            joining.merge(into=ada.pk, other=0, by=None, at=NOW)


def test_everything_that_hangs_on_a_customer_is_thought_of():
    """Whoever adds a table that names customers says here what a merge does with it."""
    moved = {table for statement in STATEMENTS.values() for table in _tables(statement)}
    moved |= {model._meta.db_table for model in FOLLOWS}
    of_their_own = {"customers_apart", "customers_consent", "customers_membership", "loyalty_birthdaygiven"}
    of_their_own |= {"loyalty_reply"}
    of_their_own |= {"loyalty_referral", "loyalty_referralcode", "loyalty_standing", "loyalty_account"}
    # What nobody may change, what the merge itself is, what a customer is told once, and what a night makes anew
    stay = {"loyalty_posting", "loyalty_move", "customers_merge", "loyalty_tiernotice", "analytics_score"}
    naming = {
        model._meta.db_table
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, models.ForeignKey) and field.related_model is Customer
    }
    assert naming == moved | of_their_own | stay


def _tables(statement):
    return [word for word in statement.replace("(", " ").split() if word.startswith("customers_") and "." not in word]


class TestImports:
    def test_an_import_of_either_is_not_taken_back(self, db):
        batch = _load(order_row(2, document="1", customer="ada"), order_row(3, document="2", customer="twin"))
        merge(_named("ada"), _named("twin"))
        with pytest.raises(undo.CannotUndo, match="was merged with"):
            undo.undo(batch_id=batch)
        assert Order.objects.filter(customer=_named("ada")).count() == 2

    def test_nor_one_that_would_give_an_order_back_to_the_other(self, db):
        _load(order_row(2, document="1", customer="twin"), order_row(3, document="2", customer="ada"))
        batch = _load(order_row(2, document="1", customer="bob"))
        merge(_named("ada"), _named("twin"))
        with pytest.raises(undo.CannotUndo, match="was merged with"):
            undo.undo(batch_id=batch)

    def test_one_that_only_brought_orders_is(self, db):
        _load(order_row(2, document="1", customer="twin"), order_row(3, document="2", customer="ada"))
        batch = _load(order_row(4, document="3", customer="twin", net=700))
        merge(_named("ada"), _named("twin"))
        undo.undo(batch_id=batch)
        assert set(Order.objects.values_list("external_id", "customer")) == {
            ("1", _named("ada").pk),
            ("2", _named("ada").pk),
        }

    def test_the_same_file_again_writes_of_the_one(self, db):
        rows = [order_row(2, document="1", customer="ada"), order_row(3, document="2", customer="twin")]
        _load(*rows)
        merge(_named("ada"), _named("twin"))
        _load(*rows, order_row(4, document="3", customer="twin"))
        assert Order.objects.filter(customer=_named("ada")).count() == 3
        assert Customer.objects.filter(archived_at=None).count() == 1


def _load(*rows):
    imports.load(rows=rows, source="shop", at=AT)
    return ImportBatch.objects.latest("pk").pk


def _named(external_id):
    return Identity.objects.get(external_id=external_id).customer
