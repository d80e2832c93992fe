"""Customers sign in by a code from their mail: once, in time, and without telling who is known."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from core.models import CUSTOMER, Role, User
from crm.portal import code_mails
from customers.models import CodeMail, Email, PortalAccess
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db
ADDRESS = "ada@example.com"
CODE = re.compile(r"\b[B-Z]{4}-[B-Z]{4}\b")


@pytest.fixture(autouse=True)
def shop():
    return make_business(name="Juniper & Oak")


@pytest.fixture
def ada():
    return make_known(ADDRESS, name="Ada Lovelace")


def make_known(*addresses, **fields):
    customer = make_customer(**fields)
    Email.objects.bulk_create(Email(customer=customer, address=address) for address in addresses)
    return customer


def ask(client, address=ADDRESS):
    """Ask for a code, let the worker mail it, and return it, "" when none came."""
    mail.outbox.clear()
    client.post("/me/sign-in/", {"email": address})
    code_mails.send_waiting(at=timezone.now())
    found = CODE.search(mail.outbox[-1].body) if mail.outbox else None
    return found[0] if found else ""


def confirm(client, code):
    return client.post("/me/code/", {"code": code})


def is_in(client):
    return client.get("/me/").status_code == 200


class TestItWorks:
    def test_the_code_from_the_mail_signs_in(self, client, ada):
        answer = confirm(client, ask(client))
        assert answer.url == "/me/"
        assert "Ada Lovelace" in client.get("/me/").content.decode()
        assert client.session.get_expiry_age() == 90 * 24 * 60 * 60

    def test_the_first_code_makes_the_way_in_and_the_second_finds_it(self, client, ada):
        other = Client()
        for one in (client, other):
            confirm(one, ask(one))
            assert is_in(one)
        access = PortalAccess.objects.get()
        assert (access.customer, access.address, access.user.role) == (ada, ADDRESS, CUSTOMER)
        assert access.verified_at is not None
        assert not access.user.has_usable_password()

    def test_case_dashes_and_spaces_do_not_matter(self, client, ada):
        confirm(client, f" {ask(client, 'ADA@Example.com').lower().replace('-', ' ')} ")
        assert is_in(client)

    def test_the_mail_says_it_in_text_and_html_and_in_the_reader_s_language(self, client, ada):
        code = ask(client)
        (sent,) = mail.outbox
        assert sent.to == [ADDRESS]
        assert sent.subject == f"Juniper & Oak: {code} is your sign-in code"
        assert code in sent.alternatives[0].content
        assert "10 minutes" in sent.body

    def test_sign_out_ends_this_session_and_everywhere_ends_all(self, client, ada):
        other = Client()
        for one in (client, other):
            confirm(one, ask(one))
        client.post("/me/sign-out/")
        assert (is_in(client), is_in(other)) == (False, True)
        confirm(client, ask(client))
        client.post("/me/sign-out/", {"everywhere": "1"})
        assert (is_in(client), is_in(other)) == (False, False)

    def test_a_guest_is_sent_to_the_customers_sign_in(self, client):
        assert client.get("/me/").url.startswith("/me/sign-in/")


class TestWhoIsLetIn:
    def test_nobody_by_an_address_that_two_customers_share_until_staff_say_whose_it_is(self, client, ada):
        make_known(ADDRESS, name="Her brother")
        assert ask(client) == ""
        (explained,) = mail.outbox
        assert "more than one customer" in explained.body
        user = User.objects.create_user(ADDRESS, role=CUSTOMER)
        PortalAccess.objects.create(user=user, customer=ada, address=ADDRESS, made_at=timezone.now())
        confirm(client, ask(client))
        assert "Ada Lovelace" in client.get("/me/").content.decode()

    def test_nobody_by_an_address_of_the_staff(self, client, ada):
        User.objects.create_user(ADDRESS, "a long password", role=Role.AGENT)
        assert ask(client) == ""
        assert "staff" in mail.outbox[0].body
        assert not PortalAccess.objects.exists()

    def test_nobody_who_is_archived_and_who_was_in_is_out(self, client, ada):
        confirm(client, ask(client))
        ada.archived_at = timezone.now()
        ada.save(update_fields=["archived_at"])
        assert client.get("/me/").status_code == 403
        assert ask(Client()) == ""
        assert not mail.outbox

    def test_nobody_whose_way_in_was_closed(self, client, ada):
        confirm(client, ask(client))
        User.objects.filter(role=CUSTOMER).update(is_active=False)
        assert not is_in(client)
        assert ask(Client()) == ""

    def test_who_became_shared_between_the_mail_and_the_code_stays_out(self, client, ada):
        code = ask(client)
        make_known(ADDRESS)
        assert confirm(client, code).status_code == 200
        assert not is_in(client)


class TestCustomersAndStaffStayApart:
    def test_a_customer_opens_no_page_of_the_staff(self, client, ada):
        confirm(client, ask(client))
        for path in (
            "/",
            "/customers/",
            f"/customers/{ada.pk}/",
            "/accounts/profile/",
            "/settings/",
            "/admin/",
            "/outbox/",
        ):
            assert client.get(path).status_code == 403, path
        for path, said in (("/", "page is for staff"), ("/nothing/", "Nothing is here")):
            page = client.get(path).content.decode()
            assert said in page
            assert "Juniper &amp; Oak" in page
            assert "Perennial" not in page

    def test_staff_open_no_page_of_a_customer(self, client):
        client.force_login(User.objects.create_user("admin@example.com", role=Role.ADMIN))
        refused = client.get("/me/")
        assert refused.status_code == 403
        assert "page is for customers" in refused.content.decode()
        assert "Perennial" in client.get("/me/nothing/").content.decode()
        assert "signed in as staff" in client.get("/me/sign-in/").content.decode()

    def test_a_customer_gets_no_password(self, client, ada):
        confirm(client, ask(client))
        mail.outbox.clear()
        Client().post("/accounts/password/reset/", {"email": ADDRESS})
        assert not mail.outbox

    def test_a_required_second_factor_is_asked_of_staff_only(self, client, ada, settings):
        settings.STAFF_SECOND_FACTOR_REQUIRED = True
        confirm(client, ask(client))
        assert is_in(client)

    def test_customers_are_not_among_the_staff(self, client, ada):
        confirm(client, ask(client))
        client.logout()
        client.force_login(User.objects.create_user("admin@example.com", role=Role.ADMIN))
        assert ADDRESS not in client.get("/settings/staff/").content.decode()
        customer = User.objects.get(role=CUSTOMER)
        assert client.get(f"/settings/staff/{customer.pk}/").status_code == 404
        assert client.post(f"/settings/staff/{customer.pk}/deactivate/").status_code == 404


class TestItRefuses:
    def test_a_code_is_used_once(self, client, ada):
        code = ask(client)
        stolen = Client()
        stolen.cookies["sessionid"] = client.cookies["sessionid"].value
        confirm(client, code)
        assert "over=1" in confirm(stolen, code).url
        assert not is_in(stolen)

    def test_a_code_works_in_the_browser_that_asked_for_it(self, client, ada):
        code, other = ask(client), Client()
        assert "over=1" in confirm(other, code).url
        ask(other)
        confirm(other, code)
        assert not is_in(other)

    def test_a_code_runs_out(self, client, ada, monkeypatch):
        code = ask(client)
        later = timezone.now().timestamp() + 601
        monkeypatch.setattr("allauth.account.internal.flows.code_verification.time.time", lambda: later)
        assert "over=1" in confirm(client, code).url

    def test_an_old_code_is_not_mailed_any_more(self, client, ada):
        client.post("/me/sign-in/", {"email": ADDRESS})
        assert code_mails.send_waiting(at=timezone.now() + timedelta(minutes=11)) == 0
        assert not CodeMail.objects.exists()

    def test_three_wrong_guesses_use_a_code_up(self, client, ada):
        code = ask(client)
        answers = [confirm(client, "BBBB-BBBB") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 302]
        assert "over=1" in confirm(client, code).url
        assert not is_in(client)

    def test_known_and_unknown_addresses_get_the_same_answers(self, ada):
        answers = {}
        for address in (ADDRESS, "eve@example.com"):
            client = Client()
            asked = client.post("/me/sign-in/", {"email": address})
            page = client.get("/me/code/").content.decode()
            wrong = confirm(client, "BBBB-BBBB").content.decode()
            answers[address] = [asked.url, *(plain(text, address) for text in (page, wrong))]
        assert answers[ADDRESS] == answers["eve@example.com"]
        assert CodeMail.objects.count() == 2, "the page does the same for both; the worker alone knows better"
        assert code_mails.send_waiting(at=timezone.now()) == 1


def plain(page, address):
    """A page without what differs by chance."""
    page = re.sub(r'(csrfmiddlewaretoken" value="|csrf-token" content=")\w+', "", page)
    return page.replace(address, "ADDRESS")


class TestLimits:
    def test_an_address_gets_three_codes_in_ten_minutes(self, ada):
        assert [bool(ask(Client())) for _ in range(4)] == [True, True, True, False]
        assert "Wait ten minutes" in Client().post("/me/sign-in/", {"email": ADDRESS}).content.decode()

    def test_an_unknown_address_is_limited_alike(self):
        pages = [Client().post("/me/sign-in/", {"email": "eve@example.com"}) for _ in range(4)]
        assert [page.status_code for page in pages] == [302, 302, 302, 200]

    def test_others_do_not_use_up_the_codes_of_a_browser_that_was_in_before(self, client, ada):
        confirm(client, ask(client))
        client.post("/me/sign-out/")
        for _ in range(5):
            ask(Client())
        assert ask(Client()) == ""
        confirm(client, ask(client))
        assert is_in(client)

    def test_a_forged_cookie_opens_no_budget_of_its_own(self, ada):
        for _ in range(3):
            ask(Client())
        forger = Client()
        forger.cookies["known_here"] = "0" * 64
        assert ask(forger) == ""
