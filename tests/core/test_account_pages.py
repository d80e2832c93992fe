"""One's own account: name, language, password, and the devices where one is signed in."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from core import devices
from core.models import Role, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0"
)


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.com", PASSWORD, role=Role.VIEWER, name="Ada")


def signed_in(user, agent=FIREFOX):
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.get("/").status_code == 200
    return client


class TestProfile:
    def test_it_works(self, user):
        client = signed_in(user)
        assert "Your role: Viewer" in client.get("/accounts/profile/").content.decode()
        assert client.post("/accounts/profile/", {"name": "Ada L.", "language": "de"}).status_code == 302
        user.refresh_from_db()
        assert (user.name, user.language) == ("Ada L.", "de")
        assert client.cookies["django_language"].value == "de"
        assert '<html lang="de"' in client.get("/").content.decode()

    def test_the_accounts_language_goes_before_the_browsers(self, user):
        User.objects.update(language="es")
        page = signed_in(user).get("/", headers={"Accept-Language": "de"}).content.decode()
        assert '<html lang="es"' in page

    def test_without_one_the_browser_decides(self, user):
        page = signed_in(user).get("/", headers={"Accept-Language": "de"}).content.decode()
        assert '<html lang="de"' in page

    def test_an_unknown_language_is_refused(self, user):
        answer = signed_in(user).post("/accounts/profile/", {"name": "Ada", "language": "tlh"})
        assert answer.status_code == 200
        assert "valid choice" in answer.content.decode()

    def test_a_role_cannot_be_sent_along(self, user):
        signed_in(user).post("/accounts/profile/", {"name": "Ada", "language": "", "role": "admin", "may_export": "on"})
        user.refresh_from_db()
        assert (user.role, user.may_export) == (Role.VIEWER, False)


class TestDevices:
    def test_it_works(self, user):
        here, there = signed_in(user), signed_in(user, IPHONE)
        page = here.get("/accounts/sessions/").content.decode()
        assert "Firefox, Linux" in page
        assert "Safari, iPhone" in page
        other = UserSession.objects.get(session_key=there.session.session_key)
        assert here.post(f"/accounts/sessions/{other.pk}/end/").url == "/accounts/sessions/"
        assert there.get("/").status_code == 302
        assert here.get("/").status_code == 200

    def test_everywhere_else_at_once(self, user):
        here, others = signed_in(user), [signed_in(user, IPHONE), signed_in(user, EDGE)]
        here.post("/accounts/sessions/")
        assert [client.get("/").status_code for client in others] == [302, 302]
        assert here.get("/").status_code == 200

    def test_another_persons_device_is_404(self, user):
        theirs = signed_in(User.objects.create_user("eve@example.com", PASSWORD))
        session = UserSession.objects.get(session_key=theirs.session.session_key)
        assert signed_in(user).post(f"/accounts/sessions/{session.pk}/end/").status_code == 404
        assert theirs.get("/").status_code == 200

    @pytest.mark.parametrize(
        ("agent", "name", "is_phone"),
        [
            (FIREFOX, "Firefox, Linux", False),
            (IPHONE, "Safari, iPhone", True),
            (EDGE, "Edge, Windows", False),
            ("curl/8.5.0", "curl/8.5.0", False),
            ("", "", False),
        ],
    )
    def test_names_of_devices(self, agent, name, is_phone):
        assert (devices.described(agent), devices.is_phone(agent)) == (name, is_phone)


class TestLastSeen:
    def session(self):
        return UserSession.objects.get()

    def test_it_is_written_every_five_minutes_and_not_each_time(self, user, django_assert_num_queries):
        client = signed_in(user)
        begun = self.session().last_seen_at
        client.get("/accounts/profile/")
        assert self.session().last_seen_at == begun
        User.objects.update(last_login=timezone.now() - timedelta(minutes=6))
        client.get("/accounts/profile/")
        seen = self.session().last_seen_at
        assert seen > begun
        client.get("/accounts/profile/")
        assert self.session().last_seen_at == seen


class TestPassword:
    def test_a_new_one_signs_the_other_devices_out(self, user):
        here, there = signed_in(user), signed_in(user, IPHONE)
        fields = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
        assert here.post("/accounts/password/change/", fields).status_code == 302
        assert there.get("/").status_code == 302
        assert here.get("/").status_code == 200

    def test_the_session_key_changes_when_somebody_signs_in(self, user):
        client = Client()
        client.get("/accounts/login/")
        client.session["before"] = 1
        client.session.save()
        before = client.session.session_key
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert client.session.session_key != before
