"""Adding and correcting a customer by hand."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import keys
from core.models import Edit, Role
from customers.models import Customer, CustomField, Email, ImportBatch, Phone
from customers.services import imports, persons
from tests.customers.conftest import sign_in
from tests.customers.rows import AT, order_row
from tests.factories import make_customer, make_order
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
ADD = "/customers/add/"


def edit(customer):
    return reverse("customers:customer_edit", args=[customer.pk])


def contacts(customer):
    emails = customer.emails.order_by("pk").values_list("address", flat=True)
    return list(emails), list(customer.phones.order_by("pk").values_list("number", flat=True))


def test_it_adds_a_customer(agent):
    response = send(
        agent,
        ADD,
        name="Łucja Nowak",
        emails=["Lucja@Example.com", "", "nowak@example.com", "lucja@example.com"],
        phones=["0170 1234567"],
        street="Łąkowa 8",
        postcode="90-001",
        city="Łódź",
        region="łódzkie",
        country="DE",
        locale="pl",
        time_zone="Europe/Warsaw",
        channel="fair",
    )
    customer = Customer.objects.get()
    assert (response.status_code, response.url) == (302, f"/customers/{customer.pk}/")
    assert contacts(customer) == (["lucja@example.com", "nowak@example.com"], ["+491701234567"])
    assert customer.place == ("Łąkowa 8", "90-001", "Łódź", "łódzkie", "DE")
    assert (customer.city, customer.locale, customer.time_zone, customer.channel) == (
        "Łódź", "pl", "Europe/Warsaw", "fair",
    )  # fmt: skip
    assert "lodz" not in customer.search
    assert "lucja nowak" in customer.search
    assert customer.identities.get().source == "manual"


def test_the_history_knows_an_address(agent):
    customer = make_customer(street="1 Quay Road", postcode="T12 X")
    send(agent, edit(customer), street="2 Quay Road", region="Munster")
    assert Edit.objects.get().changes == {"street": ["1 Quay Road", "2 Quay Road"], "region": ["", "Munster"]}


def test_it_corrects_a_customer(agent):
    customer = persons.add(person=persons.Person(name="Ada", emails=["ada@example.com"], phones=["+491701234567"]))
    response = send(agent, edit(customer), name="Ada Lovelace", emails=["", "ada@work.example"], phones=[""])
    assert response.status_code == 302
    customer.refresh_from_db()
    assert (customer.name, contacts(customer)) == ("Ada Lovelace", (["ada@work.example"], []))
    assert "ada@work.example" in customer.search
    assert "ada@example.com" not in customer.search


def test_what_was_typed_stays_on_an_error(agent):
    response = send(agent, ADD, name="Ada", emails=["ada@example.com", "nonsense"], phones=["12"], locale="Deutsch")
    assert response.status_code == 200
    text = response.content.decode()
    assert "“nonsense” is not an e-mail address" in text
    assert "“12” is not a phone number" in text
    assert "Write a language such as en or de-AT." in text
    again = inputs(response)
    assert again["emails"][:2] == ["ada@example.com", "nonsense"]
    assert again["name"] == ["Ada"]
    assert not Customer.objects.exists()


def test_a_shared_address_is_a_warning_and_joins_nobody(agent):
    known = persons.add(person=persons.Person(name="Mother", emails=["family@example.com"]))
    told = inputs(agent.get(ADD), name="Child", emails=["family@example.com"])
    warned = agent.post(ADD, told)
    assert f'href="/customers/{known.pk}/"' in warned.content.decode()
    assert Customer.objects.count() == 1
    assert agent.post(ADD, told | {"anyway": "1"}).status_code == 302
    assert Customer.objects.filter(emails__address="family@example.com").count() == 2
    child = Customer.objects.get(name="Child")
    assert send(agent, edit(child), city="Bonn").status_code == 302  # no warning for what was there before


def test_a_company_is_named_by_its_name_and_number(agent):
    url = reverse("customers:company_add")
    for _ in range(2):
        send(agent, url, name="Acme")
    customer = make_customer(name="Ada")
    response = send(agent, edit(customer), company="acme")
    assert "Several companies have this name" in response.content.decode()
    response = send(agent, edit(customer), company="Nobody")
    assert "There is no company “Nobody” yet" in response.content.decode()
    numbers = [
        line.split('"')[1]
        for line in agent.get("/companies/options/?company=acm").content.decode().split("<option")[1:]
    ]
    assert len(numbers) == 2
    assert send(agent, edit(customer), company=numbers[1]).status_code == 302
    customer.refresh_from_db()
    assert f"Acme #{customer.company_id}" == numbers[1]
    assert inputs(agent.get(edit(customer)))["company"] == [numbers[1]]


def test_two_people_at_once_lose_nothing(agent):
    customer = make_customer(name="Ada", city="Bonn")
    told = inputs(agent.get(edit(customer)), city="Köln", name="Ada L.")
    mara = sign_in(Client(), Role.MANAGER, "Mara")
    send(mara, edit(customer), city="Hamburg", country="DE", emails=["ada@example.com"])
    response = agent.post(edit(customer), told)
    text = response.content.decode()
    assert "Theirs: Hamburg" in " ".join(text.split())
    assert "Yours: Köln" in " ".join(text.split())
    assert "Mara, " in text
    customer.refresh_from_db()
    assert (customer.name, customer.city) == ("Ada", "Hamburg")
    settled = inputs(response, **{"keep-city": "yours"})
    assert agent.post(edit(customer), settled).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.city, customer.country) == ("Ada L.", "Köln", "DE")
    assert contacts(customer) == (["ada@example.com"], [])


def test_who_changed_what_is_on_the_page(agent):
    customer = make_customer(name="Ada", city="Bonn")
    send(agent, edit(customer), city="Köln", emails=["ada@example.com"])
    page = agent.get(f"/history/customer/{customer.pk}/").content.decode()
    for word in ("Ada", "Bonn", "Köln", "ada@example.com", "City"):
        assert word in page
    assert Edit.objects.filter(about_id=customer.pk).values("request").distinct().count() == 1


def test_custom_fields_are_edited_by_their_kind(agent):
    CustomField.objects.create(key="shoe", label="Shoe size", kind="number")
    CustomField.objects.create(key="vip", label="VIP", kind="yes_no")
    CustomField.objects.create(key="tea", label="Tea", kind="choice", choices=["green", "black"])
    customer = make_customer(name="Ada", custom={"old": "stays"})
    response = send(agent, edit(customer), custom_shoe="many")
    assert "Write a number such as 1234.5." in response.content.decode()
    send(agent, edit(customer), custom_shoe="38,5", custom_vip="no", custom_tea="black")
    customer.refresh_from_db()
    assert customer.custom == {"old": "stays", "shoe": "38.5", "vip": False, "tea": "black"}
    assert inputs(agent.get(edit(customer)))["custom_vip"] == ["no"]
    send(agent, edit(customer), custom_shoe="", custom_vip="")
    customer.refresh_from_db()
    assert customer.custom == {"old": "stays", "tea": "black"}


def test_archived_and_brought_back(agent):
    customer = make_customer(name="Ada")
    make_order(customer=customer)
    agent.post(reverse("customers:customer_archive", args=[customer.pk]))
    customer.refresh_from_db()
    assert customer.archived_at is not None
    agent.post(reverse("customers:customer_restore", args=[customer.pk]))
    customer.refresh_from_db()
    assert customer.archived_at is None
    assert [edit.action for edit in Edit.objects.filter(about_id=customer.pk)] == ["update", "update"]


def test_viewer_gets_403(viewer):
    customer = make_customer()
    assert viewer.get(ADD).status_code == 403
    assert viewer.post(edit(customer), {"name": "x"}).status_code == 403
    assert viewer.post(reverse("customers:customer_archive", args=[customer.pk])).status_code == 403


def test_queries(agent, django_assert_num_queries):
    customer = make_customer()
    agent.get(edit(customer))
    with django_assert_num_queries(9):  # the customer, two of contacts, the fields; the rest is every page's
        agent.get(edit(customer))


def test_nobody_is_a_404(agent):
    assert agent.get("/customers/999/edit/").status_code == 404


def test_emptying_all_addresses_takes_them_away(agent):
    customer = persons.add(person=persons.Person(name="Ada", emails=["ada@example.com"], phones=["+491701234567"]))
    send(agent, edit(customer), emails=[""], phones=[""])
    assert (Email.objects.count(), Phone.objects.count()) == (0, 0)


def test_history_names_keys_and_imports(agent):
    imports.load(rows=[order_row(2, document="1", name="Ann")], source="shop", at=AT)
    customer, batch = Customer.objects.get(), ImportBatch.objects.get()
    _key, secret = keys.create(name="Webshop", scopes=["customers"], created_by=None, at=timezone.now())
    response = agent.patch(
        f"/api/v1/customers/{customer.pk}/",
        {"city": "Bonn"},
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert response.status_code == 200, response.content
    page = " ".join(agent.get(f"/history/customer/{customer.pk}/").content.decode().split())
    assert f'<a href="/imports/batches/{batch.pk}/">Import {batch.pk} from shop</a></b> added' in page
    assert re.search(r"Webshop ?</b> changed", page)
    assert "Bonn" in page
