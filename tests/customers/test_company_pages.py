"""Companies: list, page, add, correct."""

import pytest
from django.urls import reverse

from customers.models import Company
from customers.services import search
from tests.factories import make_customer, make_order, make_refund
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
ADD = "/companies/add/"


def make_company(name="Acme", **fields):
    number = Company.objects.count() + 1
    return Company.objects.create(**{"name": name, "source": "shop", "external_id": f"co{number}"} | fields)


def edit(company):
    return reverse("customers:company_edit", args=[company.pk])


def test_it_adds_and_corrects(agent):
    response = send(agent, ADD, name="Acme", payment_terms_days="30", contract_starts_on="2026-01-01")
    company = Company.objects.get()
    assert response.url == f"/companies/{company.pk}/"
    assert (company.source, company.external_id, company.payment_terms_days) == ("manual", str(company.pk), 30)
    ada = make_customer(name="Ada", company=company)
    search.refresh(customer_ids=[ada.pk])
    send(agent, edit(company), name="Zenith", contract_ends_on="2027-01-01")
    ada.refresh_from_db()
    assert "zenith" in ada.search
    page = agent.get(f"/companies/{company.pk}/").content.decode()
    for words in ("Zenith", "30 days", "1 January 2027", ">Ada<"):
        assert words in page
    history = agent.get(f"/history/company/{company.pk}/").content.decode()
    assert "<del>Acme</del>" in history.replace("\n", "")


def test_it_refuses_what_cannot_be(agent):
    response = send(agent, ADD, name="Acme", contract_starts_on="2026-02-01", contract_ends_on="2026-01-01")
    assert "A contract ends after it starts." in response.content.decode()
    assert inputs(response)["name"] == ["Acme"]
    assert not Company.objects.exists()


def test_the_list_counts_contacts_and_orders_less_refunds(agent):
    acme, empty = make_company("Acme"), make_company("Empty")
    for name, archived in (("Ada", None), ("Bob", "2026-01-01T00:00Z")):
        customer = make_customer(name=name, company=acme, archived_at=archived)
        order = make_order(customer=customer, value_cents=10_000)
    make_refund(order=order, value_cents=4_000)
    make_order(customer=customer, value_cents=99_000, status="cancelled")
    page = " ".join(agent.get("/companies/").content.decode().split())
    assert "€160" in page
    assert page.index("Acme") < page.index("Empty")
    assert agent.get("/companies/?q=emp").content.decode().count(f'"/companies/{empty.pk}/"') == 1
    assert "No company matches" in agent.get("/companies/?q=nobody").content.decode()
    part = agent.get("/companies/?q=emp", headers={"hx-request": "true"}).content.decode()
    assert "<html" not in part


def test_two_people_at_once(agent):
    company = make_company("Acme", tax_number="1")
    told = inputs(agent.get(edit(company)), tax_number="2")
    Company.objects.update(tax_number="3")
    response = agent.post(edit(company), told)
    assert "Theirs: 3" in " ".join(response.content.decode().split())
    assert Company.objects.get().tax_number == "3"


def test_viewer_reads_only(viewer):
    company = make_company()
    assert "Edit" not in viewer.get(f"/companies/{company.pk}/").content.decode()
    assert viewer.get(edit(company)).status_code == 403
    assert viewer.get(ADD).status_code == 403


def test_queries(agent, django_assert_num_queries):
    for number in range(3):
        company = make_company(f"Acme {number}")
        make_order(customer=make_customer(company=company))
    with django_assert_num_queries(10):
        agent.get("/companies/")
    with django_assert_num_queries(10):
        agent.get(f"/companies/{company.pk}/")
