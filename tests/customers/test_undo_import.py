"""An import is taken back whole, or not at all."""

import io

import pghistory
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.models import Change
from customers.models import Company, Customer, ImportBatch, Order, OrderLine, Product, Refund
from customers.services import consents, costs, imports, portal, undo
from customers.services.costs import Spent
from tests.contracts import make_contract
from tests.customers import ledger
from tests.customers.rows import AT, order_row, person_row, return_row

pytestmark = pytest.mark.django_db


def load(*rows):
    imports.load(rows=rows, source="shop", at=AT)
    return ImportBatch.objects.latest("pk").pk


def test_it_works():
    batch = load(
        order_row(2, document="1", email="a@b.de", phone="+491701234567", category="china"),
        order_row(3, customer="", net=500),
        return_row(4, document="R1", day=5, net=400),
        return_row(5, document="R2", day=6, sku="cup", net=100),
    )
    out = io.StringIO()
    Change.objects.all().delete()
    call_command("undo_import", str(batch), stdout=out)
    assert all(rows == [] for rows in ledger.facts().values())
    assert ImportBatch.objects.get().state == "undone"
    assert "was taken back" in out.getvalue()
    assert set(Change.objects.values_list("kind", flat=True)) == {"order", "day", "customer_orders"}


def test_changes_are_as_before():
    load(
        order_row(2, document="1", quantity=5, net=5000),
        order_row(3, document="1", sku="plate"),
        order_row(4, document="2", day=2, customer="bob"),
        return_row(5, document="R1", day=5, quantity=2, net=2000),
        return_row(6, document="R2", day=6, sku="cup", net=100),
    )
    before = ledger.facts()
    batch = load(
        order_row(2, document="1", quantity=7, net=6000, day=3, name="Ann", product="Mug"),
        order_row(4, document="2", day=2, customer="cid"),
        order_row(5, document="3", day=2, customer="dan", sku="spoon"),
        return_row(5, document="R1", day=9, quantity=3, net=2500),
        return_row(6, document="R2", day=6, sku="cup", net=150),
    )
    assert ledger.facts() != before
    undo.undo(batch_id=batch)
    assert ledger.facts() == before
    ledger.check()


def test_all_imports_can_be_taken_back_from_the_last_to_the_first():
    batches = [
        load(order_row(2, document="1", quantity=5, net=5000)),
        load(return_row(3, document="R1", day=5, quantity=5, net=5000)),
        load(return_row(3, document="R1", day=6, quantity=4, net=4000), order_row(4, document="2")),
    ]
    for batch in reversed(batches):
        undo.undo(batch_id=batch)
        ledger.check()
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        ([order_row(2, document="1", net=900)], "order shop:1 was changed by import"),
        ([return_row(2, document="R1", day=3, net=100)], "order shop:1 has the later refund R1"),
        ([order_row(2, document="2", day=3, sku="cup")], "customer .* has the later order shop:2"),
        ([return_row(2, document="R1", day=3, sku="cup", net=100)], "customer .* has the later return shop:R1"),
        ([order_row(2, document="2", customer="bob")], "product mug is in the later order shop:2"),
        ([return_row(2, document="R1", customer="")], "product mug is in the later return shop:R1"),
        ([order_row(2, customer="bob", sku="cup"), order_row(3, document="1", name="Ann")], "customer Ann was changed"),
    ],
)
def test_it_refuses_what_was_touched_later(later, reason):
    batch = load(order_row(2, document="1"))
    load(*later)
    before = ledger.facts()
    with pytest.raises(undo.CannotUndo, match=reason):
        undo.undo(batch_id=batch)
    assert ledger.facts() == before
    assert ImportBatch.objects.get(pk=batch).state == "done"


def test_it_refuses_an_order_that_was_changed_by_hand():
    batch = load(order_row(2, document="1"))
    Order.objects.update(batch=None)
    with pytest.raises(undo.CannotUndo, match="order shop:1 was changed later"):
        undo.undo(batch_id=batch)


def test_it_refuses_a_customer_on_whom_something_was_spent_since():
    batch = load(order_row(2, document="1"))
    told = {"source": "mailer", "external_id": "9", "kind": "sms", "spent_on": AT.date()}
    costs.record(costs=[Spent(customer_id=Customer.objects.get().pk, **told)])
    with pytest.raises(undo.CannotUndo, match="has the later cost mailer:9"):
        undo.undo(batch_id=batch)
    assert Customer.objects.exists()


@pytest.mark.parametrize("twice", [True, False])
def test_it_refuses_what_is_not_there(twice):
    batch = load(order_row(2))
    if twice:
        undo.undo(batch_id=batch)
    with pytest.raises(CommandError, match="taken back already" if twice else "There is no import") as refused:
        call_command("undo_import", str(batch if twice else batch + 1))
    assert refused.value.returncode == 2


def test_an_import_that_broke_off_can_be_taken_back():
    batch = load(order_row(2))
    ImportBatch.objects.update(state="running")
    undo.undo(batch_id=batch)
    assert not OrderLine.objects.exists()
    assert not Refund.objects.exists()


def test_people_are_as_before():
    known = person_row(name="Ann", street="Via 1", postcode="00100", city="Rome", region="RM", company="Lee")
    imports.load_people(rows=[known], source="shop", at=AT)
    before = ledger.facts()
    rows = [
        person_row(name="Anna", emails=("a@b.de",), company="Lee & Co", street="Via 2", postcode="1", region="X"),
        person_row(3, customer="bob", name="Bob"),
    ]
    Change.objects.all().delete()
    imports.load_people(rows=rows, source="shop", at=AT)
    moved = Change.objects.filter(kind="customer_orders")
    assert [one.object_id for one in moved] == [Customer.objects.get(identities__external_id="ann").pk]
    Change.objects.all().delete()
    undo.undo(batch_id=ImportBatch.objects.latest("pk").pk)
    assert ledger.facts() == before
    assert Company.objects.get().name == "Lee"
    assert moved.count() == 1  # scores are by kind of customer


def test_what_a_person_changed_since_stands_in_the_way(django_user_model):
    mara = django_user_model.objects.create_user("mara@example.com", "a long password", name="Mara")
    imports.load(rows=[order_row(2, document="1", name="Ann")], source="shop", at=AT)
    batch = ImportBatch.objects.get()
    assert undo.obstacle(batch_id=batch.pk) == ""
    with pghistory.context(user=mara.pk):
        Product.objects.update(unit_cost=3)
        Customer.objects.update(city="Bonn")
    with pytest.raises(undo.CannotUndo, match=r"product mug was changed by Mara on \d{4}-"):
        undo.undo(batch_id=batch.pk)
    assert Customer.objects.get().city == "Bonn"


def test_an_edit_from_before_the_import_does_not(django_user_model):
    imports.load(rows=[order_row(2, document="1", name="Ann")], source="shop", at=AT)
    with pghistory.context(program="Webshop"):
        Customer.objects.update(city="Bonn")
    later = order_row(2, document="2", name="Ann")
    imports.load(rows=[later], source="shop", at=timezone.now())
    undo.undo(batch_id=ImportBatch.objects.latest("pk").pk)
    assert list(Order.objects.values_list("external_id", flat=True)) == ["1"]


def test_a_customer_with_a_contract_stays():
    imports.load_people(rows=[person_row(2, customer="ada")], source="shop", at=AT)
    batch = ImportBatch.objects.latest("pk").pk
    contract = make_contract(customer=Customer.objects.get())
    with pytest.raises(undo.CannotUndo, match=f"has the later contract manual:{contract.external_id}"):
        undo.undo(batch_id=batch)
    assert Customer.objects.exists()


def test_a_company_with_a_contract_stays():
    imports.load_people(rows=[person_row(2, customer="bob", company="Acme")], source="shop", at=AT)
    company = Company.objects.get()
    Customer.objects.filter(company=company).update(company=None)
    make_contract(company=company)
    undo.undo(batch_id=ImportBatch.objects.latest("pk").pk)
    assert Company.objects.exists()


def test_a_customer_who_said_which_messages_may_come_stands_in_the_way():
    batch = load(order_row(2, document="1", name="Ann"))
    ann = Customer.objects.get()
    said = "customer Ann has said which messages may come"
    assert undo.obstacle(batch_id=batch) == ""
    consents.pause(customer_id=ann.pk, until=AT.date())
    assert said in undo.obstacle(batch_id=batch)
    consents.pause(customer_id=ann.pk, until=None)
    witness = consents.Witness(source="portal", at=AT, ip="192.0.2.1")
    consents.say(customer_id=ann.pk, told={"email": True}, wording="Yes.", witness=witness)
    with pytest.raises(undo.CannotUndo, match=said):
        undo.undo(batch_id=batch)
    assert ann.consents.get().ip == "192.0.2.1"


@pytest.mark.parametrize("is_open", [True, False])
def test_the_same_file_again_lets_customers_sign_in_again(is_open, django_user_model):
    """Who signed in goes with the customer; staff, and customers of other imports, keep their accounts."""
    address = "ann@example.com"
    load(order_row(2, document="9", customer="bob", email="bob@example.com"))
    portal.enter(address="bob@example.com", at=AT)
    django_user_model.objects.create_user("staff@example.com", role="agent")
    rows = [order_row(2, document="1", email=address)]
    batch = load(*rows)
    portal.enter(address=address, at=AT)
    if not is_open:
        portal.close(customer_id=Customer.objects.latest("pk").pk)
    undo.undo(batch_id=batch)
    left = django_user_model.objects.order_by("email").values_list("email", flat=True)
    assert list(left) == ["bob@example.com", "staff@example.com"]
    load(*rows)
    assert portal.find(address=address).answer == "open"
    assert portal.enter(address=address, at=AT).portal.customer == Customer.objects.latest("pk")
