"""Sign-in: closed to strangers, with a second factor where the installation asks for one."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from core.models import Role, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.com", PASSWORD, role=Role.AGENT)


def sign_in(client, password=PASSWORD):
    return client.post("/accounts/login/", {"login": "ada@example.com", "password": password})


def sign_in_to_set_up(client):
    """Signed in, and the password said once more: what the pages of the second factor ask for."""
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def code_of(secret):
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_it_works(client, user):
    answer = sign_in(client)
    assert (answer.status_code, answer.url) == (302, "/")
    assert client.get("/").status_code == 200


def test_the_address_may_be_written_in_capitals(client, user):
    assert client.post("/accounts/login/", {"login": "ADA@example.com", "password": PASSWORD}).status_code == 302


def test_signing_out_takes_a_post(client, user):
    sign_in(client)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/").status_code == 302


def test_a_wrong_password_is_refused(client, user):
    answer = sign_in(client, "wrong")
    assert answer.status_code == 200
    assert "not correct" in answer.content.decode()
    assert client.get("/").status_code == 302


def test_a_form_without_a_csrf_token_is_refused(user):
    answer = sign_in(Client(enforce_csrf_checks=True))
    assert answer.status_code == 403


def test_an_inactive_person_is_refused(client, user):
    User.objects.update(is_active=False)
    sign_in(client)
    assert client.get("/").status_code == 302


def test_sign_up_is_closed(client):
    assert client.get("/accounts/signup/").status_code == 403
    client.post("/accounts/signup/", {"email": "eve@example.com", "password1": PASSWORD})
    assert not User.objects.exists()


def test_reset_answers_the_same_for_unknown_addresses(client, user, mailoutbox):
    known = client.post("/accounts/password/reset/", {"email": "ada@example.com"})
    unknown = client.post("/accounts/password/reset/", {"email": "eve@example.com"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]


class TestSecondFactor:
    @pytest.fixture(autouse=True)
    def required(self, settings):
        settings.STAFF_SECOND_FACTOR_REQUIRED = True

    def test_it_sends_people_to_set_one_up(self, client, user):
        client.force_login(user)
        for path in ("/", "/customers/", "/accounts/password/change/"):
            answer = client.get(path)
            assert (answer.status_code, answer.url) == (302, "/accounts/2fa/")
        assert "asks for a second factor" in client.get("/accounts/2fa/").content.decode()

    def test_an_authenticator_app_opens_the_desk(self, client, user):
        sign_in_to_set_up(client)
        secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
        answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
        assert answer.status_code == 302
        assert Authenticator.objects.filter(user=user, type="totp").exists()
        assert client.get("/").status_code == 200

    def test_a_wrong_code_sets_nothing_up(self, client, user):
        sign_in_to_set_up(client)
        client.get("/accounts/2fa/totp/activate/")
        client.post("/accounts/2fa/totp/activate/", {"code": "000000"})
        assert not Authenticator.objects.exists()
        assert client.get("/").status_code == 302

    def test_sign_in_asks_for_the_code(self, client, user):
        TOTP.activate(user, "GEZDGNBVGY3TQOJQ")
        assert sign_in(client).url == "/accounts/2fa/authenticate/"
        assert client.get("/").status_code == 302
        client.post("/accounts/2fa/authenticate/", {"code": code_of("GEZDGNBVGY3TQOJQ")})
        assert client.get("/").status_code == 200

    def test_the_last_factor_cannot_be_taken_away(self, client, user):
        TOTP.activate(user, "GEZDGNBVGY3TQOJQ")
        client.force_login(user)
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        client.post("/accounts/2fa/totp/deactivate/")
        assert Authenticator.objects.filter(type="totp").exists()

    def test_recovery_codes_alone_are_no_second_factor(self, client, user):
        Authenticator.objects.create(user=user, type="recovery_codes", data={})
        client.force_login(user)
        assert client.get("/").status_code == 302

    def test_signing_out_stays_open(self, client, user):
        client.force_login(user)
        assert client.post("/accounts/logout/").url == "/"


def test_it_is_off_in_a_try_out(client, user):
    client.force_login(user)
    assert client.get("/").status_code == 200
