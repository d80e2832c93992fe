"""Staff on a customer's own page: who comes in, inviting somebody, and closing it."""

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from core.models import CUSTOMER, Role, User
from customers.models import PortalAccess
from tests.crm.test_portal_sign_in import ADDRESS, ask, confirm, is_in, make_known
from tests.factories import make_business

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    return make_business(name="Juniper & Oak")


@pytest.fixture
def agent(client):
    client.force_login(User.objects.create_user("agent@example.com", role=Role.AGENT))
    return client


def invite(desk, customer, address=ADDRESS):
    return desk.post(f"/customers/{customer.pk}/portal/invite/", {"address": address}, follow=True).content.decode()


def panel(desk, customer):
    return desk.get(f"/customers/{customer.pk}/portal/", headers={"HX-Request": "true"}).content.decode()


def test_an_invitation_is_mailed_and_the_first_code_proves_the_address(agent):
    ada = make_known(ADDRESS, locale="de-AT")
    assert "An invitation is on its way" in invite(agent, ada)
    (sent,) = mail.outbox
    assert sent.to == [ADDRESS]
    assert "http://testserver/me/sign-in/" in sent.body
    assert "has not signed in yet" in panel(agent, ada)
    assert PortalAccess.objects.get().verified_at is None
    customer = Client()
    confirm(customer, ask(customer))
    assert is_in(customer)
    assert "last signed in" in panel(agent, ada)


def test_an_invitation_decides_whose_a_shared_address_is(agent):
    ada, _brother = make_known(ADDRESS, name="Ada Lovelace"), make_known(ADDRESS)
    assert ask(Client()) == ""
    invite(agent, ada)
    customer = Client()
    confirm(customer, ask(customer))
    assert PortalAccess.objects.get().customer == ada


def test_an_address_opens_one_customer(agent):
    ada, brother = make_known(ADDRESS), make_known(ADDRESS)
    invite(agent, ada)
    assert "is another customer&#x27;s way in already" in invite(agent, brother)
    assert PortalAccess.objects.get().customer == ada


def test_an_address_of_the_staff_is_refused(agent):
    ada = make_known("agent@example.com")
    assert "somebody of the staff" in invite(agent, ada, "agent@example.com")
    assert not PortalAccess.objects.exists()
    assert not mail.outbox


def test_an_address_that_is_not_the_customer_s_is_refused(agent):
    ada = make_known(ADDRESS)
    assert "Write the address down" in invite(agent, ada, "eve@example.com")
    assert not User.objects.filter(role=CUSTOMER).exists()


def test_closing_signs_out_and_an_invitation_opens_again(agent):
    ada = make_known(ADDRESS)
    customer = Client()
    confirm(customer, ask(customer))
    agent.post(f"/customers/{ada.pk}/portal/close/")
    assert not is_in(customer)
    assert ask(Client()) == ""
    assert "closed" in panel(agent, ada)
    invite(agent, ada)
    confirm(customer, ask(customer))
    assert is_in(customer)


def test_without_an_address_it_says_what_to_do(agent):
    assert "Write an e-mail address down first" in panel(agent, make_known())


def test_viewer_sees_it_and_gets_403(client):
    ada = make_known(ADDRESS)
    client.force_login(User.objects.create_user("viewer@example.com", role=Role.VIEWER))
    assert "Nobody has signed in" in panel(client, ada)
    assert "Invite" not in panel(client, ada)
    assert client.post(f"/customers/{ada.pk}/portal/invite/", {"address": ADDRESS}).status_code == 403


def test_a_customer_s_row_that_goes_takes_the_way_in_along():
    ada = make_known(ADDRESS)
    customer = Client()
    confirm(customer, ask(customer))
    PortalAccess.objects.filter(customer=ada).delete()
    assert customer.get("/me/").status_code == 403
    assert timezone.now() > User.objects.get(role=CUSTOMER).last_login
