"""What contracts are worth, where people look: Today, the contract's page, its customer's and its company's."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from analytics.models import ContractTotal, ContractValue
from analytics.services import contract_values
from core.models import Run
from customers.models import Company
from customers.services import contracts
from tests.contracts import make_contract
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db


def today():
    return timezone.localdate()


def due_in(days, **facts):
    """A contract of a year whose first term ends in so many days."""
    after = today() + timedelta(days=days + 1)
    first = after.replace(year=after.year - 1)
    return make_contract(**{"starts_on": first, "agreed_on": first, "on": today()} | facts)


def pass_night():
    settings = {"discount_rate": "0.1", "margin_rate": "0.4", "currency": "USD"}
    run = Run.objects.create(
        as_of=today() - timedelta(days=1), state=Run.State.DONE, settings=settings, started_at=timezone.now()
    )
    contract_values.refresh(run=run)
    contract_values.show(run=run)


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_today_lists_what_is_due_with_what_is_at_stake(desk):
    acme = Company.objects.create(name="Acme", external_id="1")
    large, small = due_in(40, company=acme, value_cents=900_000), due_in(20, value_cents=10_000, plan="Small")
    due_in(200, plan="Far away")
    pass_night()

    page = desk.get("/")

    assert [one.row.contract for one in page.context["renewals"].rows] == [large, small]
    shown = words(page)
    assert "Renewals due in the next 90 days" in shown
    assert "Acme" in shown
    assert "in 40 days" in shown
    assert f"{ContractValue.objects.get(pk=large.pk).p_renew:.0%}" in shown
    assert "Far away" not in shown
    assert "Decide" in shown
    assert f'href="/contracts/{large.pk}/"' in page.content.decode()


def test_today_points_to_what_is_overdue(desk):
    due_in(-3)

    assert "1 is overdue." in words(desk.get("/"))


def test_a_viewer_opens_and_does_not_decide(client, viewer):
    make_business()
    due_in(10)
    client.force_login(viewer)

    shown = words(client.get("/"))
    assert ("Open" in shown, "Decide" in shown) == (True, False)


def test_what_is_decided_leaves_today_at_once(desk):
    contract = due_in(10)
    pass_night()
    contracts.renew(contract_id=contract.pk, number=1, on=today())

    assert "Renewals due" not in words(desk.get("/"))


def test_a_shop_without_contracts_reads_nothing_of_them(desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        page = desk.get("/")
    assert page.context["renewals"] is None


def test_the_contract_s_value_as_a_part_and_as_a_page(desk):
    contract = due_in(100)
    url = f"/contracts/{contract.pk}/value/"
    assert "come with the next night" in words(desk.get(url))
    pass_night()

    part = desk.get(url, headers={"hx-request": "true"})
    page = desk.get(url)

    value = ContractValue.objects.get()
    for shown in (words(part), words(page)):
        assert f"Chance of renewal {value.p_renew:.0%}" in shown
        assert "in 8 of 10 cases" in shown
        assert "Still there after" in shown
    assert "<html" not in part.content.decode()
    assert "How it is counted" in words(page)


def test_a_cancelled_contract_has_no_chance(desk):
    contract = due_in(100)
    contracts.cancel(contract_id=contract.pk, number=1, on=today() - timedelta(days=1))
    pass_night()

    shown = words(desk.get(f"/contracts/{contract.pk}/value/"))
    assert "Chance of renewal cancelled" in shown
    assert "Still there after" not in shown


def test_an_overdue_contract_says_what_waiting_means(desk):
    contract = due_in(-20)
    pass_night()

    assert "the less likely a renewal" in words(desk.get(f"/contracts/{contract.pk}/value/"))


def test_customer_and_company_show_the_sum(desk):
    company = Company.objects.create(name="Acme", external_id="1")
    customer = make_customer(company=company)
    for _number in range(2):
        due_in(100, customer=customer)
    pass_night()
    total = ContractTotal.objects.get(owner="customer")
    assert total.contracts == 2

    amount = f"${total.value_cents / 100:,.0f}"
    assert amount in words(desk.get(f"/customers/{customer.pk}/"))
    assert amount in words(desk.get(f"/companies/{company.pk}/contracts/"))
    assert (
        "<html" not in desk.get(f"/companies/{company.pk}/contracts/", headers={"hx-request": "true"}).content.decode()
    )


def test_a_company_without_a_night_says_so(desk):
    company = Company.objects.create(name="Acme", external_id="1")

    assert "comes with the next night" in words(desk.get(f"/companies/{company.pk}/contracts/"))


@pytest.mark.parametrize("url", ["/contracts/999/value/", "/companies/999/contracts/", "/contracts/999/"])
def test_nothing_there(desk, url):
    assert desk.get(url).status_code == 404


def test_queries(desk, django_assert_num_queries):
    contract = due_in(10)
    pass_night()

    with django_assert_num_queries(7):  # session, user, business, bell, contract, value, run
        desk.get(f"/contracts/{contract.pk}/value/")


def test_a_customer_without_orders_shows_what_contracts_bring(desk):
    ada = make_customer(name="Ada")
    due_in(200, customer=ada, value_cents=100_000)
    pass_night()
    brings = ContractTotal.objects.get(owner="customer").year_cents

    page = words(desk.get(ada.get_absolute_url()))
    assert f"Predicted CLV ${brings / 100:,.0f} 12 months, from contracts" in page


def test_a_company_s_dates_are_those_of_its_contracts(desk):
    acme, bare = (
        Company.objects.create(name=name, external_id=name, contract_ends_on=today() + timedelta(days=400))
        for name in ("Acme", "Bare")
    )
    near, far = due_in(20, company=acme), due_in(40, customer=make_customer(company=acme))
    page = words(desk.get("/companies/"))
    ends = [date_format(day, "SHORT_DATE_FORMAT") for day in (contracts_end(far), bare.contract_ends_on)]

    assert page.index(ends[0]) < page.index(ends[1])
    assert date_format(acme.contract_ends_on, "SHORT_DATE_FORMAT") not in page.replace(ends[1], "", 1)
    assert "Contract ends" not in words(desk.get(acme.get_absolute_url())).replace("The term ends", "")
    assert "Contract ends" in words(desk.get(bare.get_absolute_url()))
    form = desk.get(f"/companies/{acme.pk}/edit/").context["form"]
    assert form["contract_ends_on"].field.disabled
    assert not desk.get(f"/companies/{bare.pk}/edit/").context["form"]["contract_ends_on"].field.disabled
    assert contracts_end(near) < contracts_end(far)


def contracts_end(contract):
    return contract.terms.latest("number").ends_on
