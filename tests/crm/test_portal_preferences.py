"""What customers decide by themselves: another address to sign in with, and which messages they want."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from core.models import Role, User
from crm.portal import code_mails
from customers.models import CodeMail, Consent, Customer, Email, PortalAccess
from customers.selectors import consents
from customers.services.portal import find
from tests.crm.test_portal_sign_in import ADDRESS, CODE, ask, confirm, is_in, make_known, plain
from tests.factories import make_business

pytestmark = pytest.mark.django_db
NEW = "ada@king.test"


@pytest.fixture(autouse=True)
def shop():
    return make_business(name="Juniper & Oak")


@pytest.fixture
def ada():
    return make_known(ADDRESS, name="Ada Lovelace")


@pytest.fixture
def client(ada):
    client = Client()
    confirm(client, ask(client))
    return client


def ask_for(client, address=NEW):
    """Ask for another address and let the worker mail; the code, "" when none came."""
    mail.outbox.clear()
    client.post("/me/profile/address/", {"email": address})
    code_mails.send_waiting(at=timezone.now())
    found = CODE.search(mail.outbox[-1].body) if mail.outbox else None
    return found[0] if found else ""


def give(client, code):
    return client.post("/me/profile/address/code/", {"code": code})


class TestAnotherAddress:
    def test_it_counts_once_its_code_has_come_back(self, client, ada, django_capture_on_commit_callbacks):
        other = Client()
        confirm(other, ask(other))
        code = ask_for(client)
        assert mail.outbox[0].to == [NEW]
        assert PortalAccess.objects.get().address == ADDRESS
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            assert give(client, code).url == "/me/profile/"
        (told,) = mail.outbox
        assert (told.to, "was changed" in told.subject) == ([ADDRESS], True)
        assert NEW not in told.body
        assert "From now on you sign in with ada@king.test" in client.get("/me/profile/").content.decode()
        assert not is_in(other), "other devices are signed out"
        assert list(ada.emails.values_list("address", flat=True)) == [NEW]
        confirm(other, ask(other, NEW))
        assert is_in(other)

    def test_devices_that_signed_in_with_a_third_address_are_signed_out(self, client, ada):
        other, third = Client(), "countess@example.com"
        Email.objects.create(customer=ada, address=third)
        confirm(other, ask(other, third))
        assert is_in(other)
        give(client, ask_for(client))
        assert (is_in(client), is_in(other)) == (True, False)
        confirm(other, ask(other, third))
        assert is_in(other), "the third address itself still opens the pages"

    def test_the_old_one_opens_nothing_even_when_an_import_brings_it_back(self, client, ada):
        give(client, ask_for(client))
        Email.objects.create(customer=ada, address=ADDRESS)
        assert ask(Client()) == ""
        assert ADDRESS not in client.get("/me/profile/").content.decode()

    def test_back_to_the_old_one(self, client, ada):
        give(client, ask_for(client))
        give(client, ask_for(client, ADDRESS))
        assert is_in(client)
        assert (find(address=ADDRESS).answer, find(address=NEW).answer) == ("open", "closed")

    def test_the_page_says_the_same_whosever_the_address_is_and_a_mail_says_more(self, client):
        make_known("eve@example.com", name="Eve Else")
        User.objects.create_user("staff@example.com", role=Role.AGENT)
        answers = []
        for address in ("nobody@example.com", "eve@example.com", "staff@example.com"):
            assert client.post("/me/profile/address/", {"email": address}).url == "/me/profile/address/code/"
            page = client.get("/me/profile/address/code/").content.decode()
            wrong = give(client, "BBBB-BBBB").content.decode()
            answers.append([plain(text, address) for text in (page, wrong)])
        assert answers[0] == answers[1] == answers[2]
        mail.outbox.clear()
        code_mails.send_waiting(at=timezone.now())
        codes = {sent.to[0]: bool(CODE.search(sent.body)) for sent in mail.outbox}
        assert codes == {"nobody@example.com": True, "eve@example.com": False, "staff@example.com": False}

    def test_an_address_that_became_somebody_else_s_meanwhile_is_not_taken(self, client, ada):
        code = ask_for(client)
        make_known(NEW)
        assert give(client, code).status_code == 200
        assert PortalAccess.objects.get().address == ADDRESS

    def test_three_wrong_guesses_and_ten_minutes_end_a_code(self, client, monkeypatch):
        code = ask_for(client)
        assert [give(client, "BBBB-BBBB").status_code for _ in range(3)] == [200, 200, 302]
        assert give(client, code).url == "/me/profile/address/"
        code = ask_for(client)
        later = timezone.now().timestamp() + 601
        monkeypatch.setattr("allauth.account.internal.flows.code_verification.time.time", lambda: later)
        assert give(client, code).url == "/me/profile/address/"
        assert PortalAccess.objects.get().address == ADDRESS

    def test_a_code_is_of_the_session_that_asked(self, client):
        other = Client()
        confirm(other, ask(other))
        assert give(other, ask_for(client)).url == "/me/profile/address/"
        assert PortalAccess.objects.get().address == ADDRESS

    def test_a_customer_asks_five_times_an_hour(self, client):
        answers = [client.post("/me/profile/address/", {"email": f"a{n}@king.test"}).status_code for n in range(6)]
        assert answers == [302] * 5 + [200]
        assert CodeMail.objects.count() == 5

    def test_the_same_address_is_refused_in_words(self, client):
        answer = client.post("/me/profile/address/", {"email": ADDRESS.upper()})
        assert "You sign in with this address already" in answer.content.decode()


class TestMessages:
    def say(self, client, **told):
        return client.post("/me/profile/messages/", {f"say-{name}": value for name, value in told.items()})

    def test_each_word_is_kept_and_the_last_counts(self, client, ada):
        self.say(client, email="on", sms="on")
        assert consents.given(ada.pk) == {"email", "sms"}
        self.say(client, sms="on")
        assert consents.given(ada.pk) == {"sms"}
        rows = list(Consent.objects.order_by("pk").values_list("channel", "is_given", "source", "ip"))
        assert rows == [
            ("email", True, "portal", "127.0.0.1"),
            ("sms", True, "portal", "127.0.0.1"),
            ("email", False, "portal", "127.0.0.1"),
        ]
        assert "Juniper & Oak may send me offers" in Consent.objects.earliest("pk").wording

    def test_saying_the_same_again_is_no_news(self, client):
        for _ in range(2):
            self.say(client, call="on")
        assert Consent.objects.count() == 1

    def test_what_was_said_is_never_changed(self, client):
        self.say(client, email="on")
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            Consent.objects.update(is_given=False)

    def test_an_account_that_goes_leaves_what_it_said(self, client):
        self.say(client, email="on")
        User.objects.all().delete()
        assert Consent.objects.get().by is None

    def test_what_is_said_and_the_pause_are_kept_together_or_not_at_all(self, client, monkeypatch):
        def break_off(**said):
            raise ZeroDivisionError

        monkeypatch.setattr("customers.services.consents.pause", break_off)
        with pytest.raises(ZeroDivisionError):
            self.say(client, email="on")
        assert not Consent.objects.exists()

    def test_a_pause_ends_by_itself_or_by_hand(self, client, ada):
        until = timezone.localdate() + timedelta(days=30)
        self.say(client, until=until.isoformat())
        assert Customer.objects.get(pk=ada.pk).messages_paused_until == until
        assert f'value="{until.isoformat()}"' in client.get("/me/profile/").content.decode()
        self.say(client, until="")
        assert Customer.objects.get(pk=ada.pk).messages_paused_until is None

    @pytest.mark.parametrize(("days", "said"), [(-1, "This day is over"), (400, "within a year")])
    def test_a_pause_that_cannot_be(self, client, ada, days, said):
        until = timezone.localdate() + timedelta(days=days)
        page = self.say(client, email="on", until=until.isoformat())
        assert said in page.content.decode()
        assert not Consent.objects.exists()


def test_a_birthday_is_said_once(client, ada):
    told = {"name": "Ada", "birthday": "12-10"}
    client.post("/me/profile/", told)
    client.post("/me/profile/", told | {"birthday": "01-01"})
    ada.refresh_from_db()
    assert ada.birthday == "--12-10"
    assert "tell us: we put it right" in client.get("/me/profile/").content.decode()
