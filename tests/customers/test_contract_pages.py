"""Contracts on pages: list, page, add, correct, renew, cancel, take back; who may; without JavaScript."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Company, Contract
from customers.services import contracts
from tests.contracts import make_contract, terms
from tests.factories import make_business, make_customer
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
LIST, ADD = "/contracts/", "/contracts/add/"


def today():
    return timezone.localdate(timezone=ZoneInfo("Europe/Berlin"))  # the business is there (conftest.py)


def running(*, days_left=200, **facts):
    """A contract of a year whose first term ends in so many days."""
    after = today() + timedelta(days=days_left + 1)
    first = after.replace(year=after.year - 1)
    return make_contract(**{"starts_on": first, "agreed_on": first} | facts)


def url(name, contract, *more):
    return reverse(f"customers:contract_{name}", args=[contract.pk, *more])


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def fields(response, action):
    """What a browser would send of the form that goes to `action`."""
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', response.content.decode(), re.DOTALL)[0]
    found = {}
    for tag in re.findall(r"<(?:input|option selected)[^>]*>", form):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in told and told["name"] != "csrfmiddlewaretoken":
            found[told["name"]] = told.get("value", "")
    return found


def test_it_adds_renews_and_cancels(agent):
    """By the forms of the pages alone: added for €1,200, renewed for €1,300, cancelled."""
    company = Company.objects.create(name="Acme", external_id="1")
    first = today() - timedelta(days=100)
    response = send(
        agent,
        f"{ADD}?company={company.pk}",
        plan="Care",
        value="1,200.00",
        agreed_on=f"{first}",
        starts_on=f"{first}",
    )
    contract = Contract.objects.get()
    assert response.url == f"/contracts/{contract.pk}/"
    assert (contract.company, contract.customer, contract.value_cents) == (company, None, 120_000)

    page = agent.get(response.url)
    agent.post(url("renew", contract), fields(page, url("renew", contract)) | {"value": "1300"})
    page = agent.get(response.url)
    told = fields(page, url("cancel", contract)) | {"outcome": "cancelled", "reason": "Moved"}
    agent.post(url("cancel", contract), told)

    assert [(cents, outcome) for *_, cents, outcome in terms(contract)] == [
        (120_000, "renewed"),
        (130_000, "cancelled"),
    ]
    shown = words(agent.get(response.url))
    assert "Cancelled, still running" in shown
    assert "Moved" in shown
    history = words(agent.get(f"/history/contract/{contract.pk}/"))
    assert "€1,300.00" in history


def test_a_mistake_is_taken_back(agent):
    contract = running()
    contracts.renew(contract_id=contract.pk, number=1, on=today())
    page = agent.get(url("detail", contract))
    assert url("reopen", contract, 1) in page.content.decode()

    response = agent.post(url("reopen", contract, 1), follow=True)

    assert "The decision is taken back" in words(response)
    assert [outcome for *_, outcome in terms(contract)] == ["pending"]


def test_only_the_latest_decision_has_the_button(agent):
    contract = make_contract(starts_on=today() - timedelta(days=900), renewals=2, on=today())
    page = agent.get(url("detail", contract)).content.decode()

    assert (url("reopen", contract, 1) in page, url("reopen", contract, 2) in page) == (False, True)
    assert "Only the latest decision" in words(agent.post(url("reopen", contract, 1), follow=True))


def test_two_people_who_renew_from_one_page_renew_once(agent):
    contract = running()
    told = fields(agent.get(url("detail", contract)), url("renew", contract))

    for _time in range(2):
        agent.post(url("renew", contract), told)

    assert [outcome for *_, outcome in terms(contract)] == ["renewed", "pending"]


def test_cancelling_what_somebody_renewed_is_told(agent):
    contract = running()
    told = fields(agent.get(url("detail", contract)), url("cancel", contract)) | {"outcome": "cancelled"}
    contracts.renew(contract_id=contract.pk, number=1, on=today())

    response = agent.post(url("cancel", contract), told, follow=True)

    assert "Somebody else has decided" in words(response)
    assert [outcome for *_, outcome in terms(contract)] == ["renewed", "pending"]


@pytest.mark.parametrize(
    ("action", "changes", "message"),
    [
        ("renew", {"on": "2099-01-01"}, "This day is still to come"),
        ("renew", {"value": "much"}, "is not an amount in EUR"),
        ("renew", {"on": ""}, "This field is required"),
        ("cancel", {"outcome": "lapsed"}, "A term lapses when it is over"),
        ("cancel", {"outcome": "lost"}, "Select a valid choice"),
    ],
)
def test_decisions_that_cannot_be_are_explained(agent, action, changes, message):
    contract = running()
    told = fields(agent.get(url("detail", contract)), url(action, contract)) | {"outcome": "cancelled"}

    response = agent.post(url(action, contract), told | changes)

    assert message in words(response)
    assert [outcome for *_, outcome in terms(contract)] == ["pending"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"company": ""}, "Name a company or a customer."),
        ({"company": "Nobody"}, "There is no company “Nobody” yet."),
        ({"customer": "Nobody"}, "There is no customer “Nobody” yet."),
        ({"customer": "Ada"}, "Several customers have this name."),
        ({"value": "-5"}, "not below zero"),
        ({"value": "1.234,567"}, "At most 2 decimals"),
        ({"term_months": "0"}, "greater than or equal to 1"),
        ({"margin_percent": "101"}, "from -100 to 100"),
        ({"agreed_on": "2090-01-01"}, "agreed before it starts"),
        ({"starts_on": "1066-10-14"}, "between 1900 and 2099"),
        ({"renewals": "9"}, "cannot have been renewed so often"),
    ],
)
def test_what_cannot_be_is_refused_in_words(agent, changes, message):
    Company.objects.create(name="Acme", external_id="1")
    for _time in range(2):
        make_customer(name="Ada")

    response = send(agent, ADD, **{"plan": "Care", "company": "Acme", "value": "100"} | changes)

    assert message in words(response)
    assert not Contract.objects.exists()
    assert inputs(response)["plan"] == ["Care"]


def test_it_corrects(agent):
    contract = running()
    send(agent, url("edit", contract), plan="Care plus", value="1500", reprices="on", margin_percent="25")
    contract.refresh_from_db()

    assert (contract.plan, contract.value_cents, f"{contract.margin_rate}") == ("Care plus", 150_000, "0.2500")
    assert [cents for *_, cents, _ in terms(contract)] == [150_000]


def test_the_first_day_stands_after_a_decision(agent):
    contract = running()
    contracts.renew(contract_id=contract.pk, number=1, on=today())

    response = send(agent, url("edit", contract), starts_on=f"{contract.starts_on + timedelta(days=1)}")

    assert "the day on which it began stands" in words(response)


def test_two_people_who_edit_at_once(agent):
    contract = running(plan="Care")
    told = inputs(agent.get(url("edit", contract)), plan="Mine")
    Contract.objects.update(plan="Theirs")

    response = agent.post(url("edit", contract), told)

    assert "Theirs: Theirs" in words(response)
    assert Contract.objects.get().plan == "Theirs"


def test_the_list_by_what_is_due(agent):
    """Due in 10 and in 80 days, overdue, ended: each view has its own, and its sum a year."""
    soon = running(days_left=10, plan="Soon", value_cents=100_000)
    running(days_left=80, plan="Later", value_cents=240_000)
    overdue = running(days_left=-5, plan="Overdue")
    ended = running(days_left=-30, plan="Ended")
    contracts.cancel(contract_id=ended.pk, number=1, on=today())

    def plans(query):
        return [row.contract.plan for row in agent.get(LIST + query).context["rows"]]

    assert plans("") == ["Overdue", "Soon", "Later"]
    assert plans("?state=30") == ["Soon"]
    assert plans("?state=90") == ["Soon", "Later"]
    assert plans("?state=overdue") == ["Overdue"]
    assert plans("?state=ended") == ["Ended"]
    assert len(plans("?state=all")) == 4
    assert plans(f"?q={soon.external_id}&state=all")[:1] == ["Soon"]
    page = agent.get(f"{LIST}?state=90")
    assert "2 contracts" in words(page)
    assert "€3,400 a year" in words(page)
    assert [number for *_, number in page.context["tabs"]] == [3, 1, 1, 2, 1, 1, 4]
    assert "5 days over" in words(agent.get(f"{LIST}?state=overdue"))
    assert overdue.get_absolute_url() in agent.get(LIST).content.decode()


def test_search_finds_people_and_companies(agent):
    from_acme = running(company=Company.objects.create(name="Acme", external_id="1"))
    agent.post("/customers/add/", {"name": "Łucja Żak"})
    customer = make_customer(name="x")
    running(customer=customer)

    found = agent.get(f"{LIST}?q=acm").context["rows"]

    assert [row.contract for row in found] == [from_acme]
    assert agent.get(f"{LIST}?q=%00").status_code == 200


def test_automatic_ones_are_renewed_by_one_act(agent):
    contract = running(days_left=-5, renews_automatically=True)
    running(days_left=-5)
    page = agent.get(f"{LIST}?state=overdue")
    assert "1 of them renews automatically" in words(page)

    response = agent.post("/contracts/renew/", follow=True)

    assert "1 contract renewed." in words(response)
    assert [outcome for *_, outcome in terms(contract)] == ["renewed", "pending"]
    assert len(agent.get(f"{LIST}?state=overdue").context["rows"]) == 1


def test_empty_states(agent):
    assert "No contracts yet" in words(agent.get(LIST))
    running()
    assert "No contract matches" in words(agent.get(f"{LIST}?q=nobody"))


def test_a_part_for_htmx(agent):
    running()
    part = agent.get(LIST, headers={"hx-request": "true"}).content.decode()

    assert "<html" not in part
    assert "<table" in part


def test_suggestions_of_customers(agent):
    make_customer(name="Ada", search="ada")
    make_customer(name="Bo", search="bo")

    page = agent.get("/contracts/options/?customer=ad").content.decode()
    assert ("Ada #" in page, "Bo #" in page) == (True, False)


def test_company_and_customer_show_their_contracts(agent):
    company = Company.objects.create(name="Acme", external_id="1")
    contact = make_customer(name="Ada", company=company)
    running(company=company, plan="Care of Acme")
    running(customer=contact, plan="Care of Ada")

    firm = words(agent.get(f"/companies/{company.pk}/"))
    assert "Care of Acme" in firm
    assert "Care of Ada" in firm
    person = words(agent.get(f"/customers/{contact.pk}/"))
    assert ("Care of Ada" in person, "Care of Acme" in person) == (True, False)


def test_a_link_from_a_customer_fills_in_both(agent):
    contact = make_customer(name="Ada", company=Company.objects.create(name="Acme", external_id="1"))

    found = inputs(agent.get(f"{ADD}?customer={contact.pk}"))

    assert (found["customer"][0].startswith("Ada #"), found["company"][0].startswith("Acme #")) == (True, True)
    assert agent.get(f"{ADD}?customer=%F0%9D%9F%8F&company=x").status_code == 200


def test_the_sidebar_shows_contracts_where_there_are_some(agent):
    assert 'href="/contracts/"' not in agent.get("/companies/").content.decode()
    running()
    assert 'href="/contracts/"' in agent.get("/companies/").content.decode()


def test_the_sidebar_shows_contracts_to_a_business_that_lives_on_them(agent):
    make_business(kind="contracts")

    assert 'href="/contracts/"' in agent.get("/companies/").content.decode()


def test_viewer_reads_only(viewer):
    contract = running()
    page = viewer.get(url("detail", contract)).content.decode()

    assert url("renew", contract) not in page
    assert viewer.get(ADD).status_code == 403
    for name in ("renew", "cancel"):
        assert viewer.post(url(name, contract), {"number": 1}).status_code == 403
    assert viewer.post(url("reopen", contract, 1)).status_code == 403
    assert viewer.post("/contracts/renew/").status_code == 403
    assert [outcome for *_, outcome in terms(contract)] == ["pending"]


def test_queries(agent, django_assert_num_queries):
    company = Company.objects.create(name="Acme", external_id="1")
    for _number in range(3):
        contract = running(company=company)

    with django_assert_num_queries(7):  # session, user, business, tabs, count, rows, totals
        agent.get(LIST)
    with django_assert_num_queries(6):
        agent.get(url("detail", contract))
