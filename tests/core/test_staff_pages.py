"""The pages of staff: invited by mail or by hand, changed, sent away, reset."""

import re
import threading
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from core import keys, links, staff
from core.models import Edit, Role, User
from tests.factories import make_business

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return User.objects.create_user("ada@example.com", PASSWORD, role=Role.ADMIN, name="Ada Admin")


@pytest.fixture
def desk(client, admin):
    make_business(name="Juniper & Oak")
    client.force_login(admin)
    return client


@pytest.fixture
def agent():
    return User.objects.create_user("eve@example.com", PASSWORD, role=Role.AGENT, name="Eve Agent")


def invite(desk, **fields):
    return desk.post("/settings/staff/", {"email": "new@example.com", "name": "Nia New", "role": "agent"} | fields)


def act(desk, user, action):
    return desk.post(f"/settings/staff/{user.pk}/{action}/", follow=True).content.decode()


def accept(link, password=PASSWORD):
    """Follow a link as somebody else would: in another browser."""
    browser = Client()
    page = browser.get(link, follow=True)
    if "password1" not in page.content.decode():
        return browser, page
    address = page.redirect_chain[-1][0]
    return browser, browser.post(address, {"password1": password, "password2": password})


class TestList:
    def test_it_works(self, desk, agent):
        TOTP.activate(agent, "GEZDGNBVGY3TQOJQ")
        staff.invite(email="new@example.com", role=Role.VIEWER, at=timezone.now())
        staff.invite(email="late@example.com", role=Role.VIEWER, at=timezone.now() - timedelta(days=8))
        answer = desk.get("/settings/staff/")
        for said in ("Ada Admin", "Eve Agent", "new@example.com", "Invited", "Invitation expired", "never"):
            assert said in answer.content.decode(), said
        protected = {user.email for user, _state in answer.context["rows"] if user.has_factor}
        assert protected == {"eve@example.com"}

    def test_ten_more_people_cost_no_query(self, desk, django_assert_max_num_queries):
        User.objects.bulk_create(User(email=f"p{number}@example.com") for number in range(10))
        with django_assert_max_num_queries(6):
            desk.get("/settings/staff/")

    @pytest.mark.parametrize("role", [role for role in Role.values if role != "admin"])
    def test_others_get_403(self, client, role):
        client.force_login(User.objects.create_user("bo@example.com", PASSWORD, role=role))
        assert client.get("/settings/staff/").status_code == 403
        assert invite(client).status_code == 403
        assert not User.objects.filter(email="new@example.com").exists()


class TestInvite:
    def test_it_sends_text_and_html_with_a_link_that_works(self, desk):
        answer = invite(desk, may_export="on")
        user = User.objects.get(email="new@example.com")
        assert answer.url == f"/settings/staff/{user.pk}/"
        assert (user.name, user.role, user.may_export) == ("Nia New", Role.AGENT, True)
        (sent,) = mail.outbox
        assert sent.to == ["new@example.com"]
        assert sent.subject == "Ada Admin invites you to Juniper & Oak"
        link = re.search(r"http://testserver(/\S+)", sent.body)[1]
        assert link in sent.alternatives[0].content
        browser, answer = accept(link)
        assert answer.status_code == 302
        assert browser.get("/").status_code == 200
        user.refresh_from_db()
        assert user.invited_until is None
        assert user.check_password(PASSWORD)

    def test_a_name_cannot_write_a_header(self, desk, admin):
        User.objects.filter(pk=admin.pk).update(name="Ada\nBcc: all@example.com")
        invite(desk)
        assert "\n" not in mail.outbox[0].subject

    def test_the_page_shows_the_link_to_hand_over(self, desk):
        page = desk.get(invite(desk).url).content.decode()
        assert links.path(User.objects.get(email="new@example.com")) in page

    def test_without_a_mail_server_the_page_says_so(self, desk, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
        page = desk.get(invite(desk).url).content.decode()
        assert "hand the link below over" in page

    def test_a_mail_server_that_refuses_is_no_error(self, desk, monkeypatch):
        def refuse(*args, **options):
            raise ConnectionRefusedError

        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
        page = desk.get(invite(desk).url).content.decode()
        assert "hand the link below over" in page

    def test_an_address_that_has_an_account_is_refused_in_the_form(self, desk, agent):
        answer = invite(desk, email="EVE@example.com")
        assert answer.status_code == 200
        assert "has an account already" in answer.content.decode()
        assert not mail.outbox


class TestLink:
    @pytest.fixture
    def user(self):
        return staff.invite(email="new@example.com", role=Role.AGENT, at=timezone.now())

    def test_it_works_once(self, user):
        link = links.path(user)
        accept(link)
        _, again = accept(link, "another long password")
        assert "does not work any more" in again.content.decode()
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)

    def test_it_ends_after_seven_days_and_not_before(self, user):
        generator = links.KeyGenerator()
        for days, opens in ((6.9, True), (7.1, False)):
            user.invited_until = timezone.now() - timedelta(days=days) + staff.INVITATION_LASTS
            assert generator.check_token(user, generator.make_token(user)) is opens, days

    def test_a_forgotten_password_has_a_day(self, agent, monkeypatch):
        generator = links.KeyGenerator()
        token = generator.make_token(agent)
        now = generator._now()
        for hours, opens in ((23, True), (25, False)):
            monkeypatch.setattr(links.KeyGenerator, "_now", lambda self, hours=hours: now + timedelta(hours=hours))
            assert generator.check_token(agent, token) is opens, hours

    def test_a_second_invitation_closes_the_first_link(self, desk, user):
        link = links.path(user)
        assert "the old one opens nothing" in act(desk, user, "invite-again")
        assert "does not work any more" in accept(link)[1].content.decode()
        assert accept(links.path(User.objects.get(pk=user.pk)))[1].status_code == 302

    def test_withdrawing_closes_it(self, desk, user):
        link = links.path(user)
        act(desk, user, "withdraw")
        assert not User.objects.filter(pk=user.pk).exists()
        assert "does not work any more" in accept(link)[1].content.decode()

    def test_a_closed_account_has_no_way_in(self, user):
        link = links.path(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert "does not work any more" in accept(link)[1].content.decode()

    def test_a_weak_password_is_refused(self, user):
        _, answer = accept(links.path(user), "password")
        assert answer.status_code == 200
        assert not User.objects.get(pk=user.pk).has_usable_password()

    def test_it_opens_nothing_for_somebody_else(self, user, agent):
        own, theirs = links.path(user), links.path(agent)
        crossed = own.replace(own.split("/")[-2].split("-")[0], theirs.split("/")[-2].split("-")[0], 1)
        assert "does not work any more" in accept(crossed)[1].content.decode()


class TestRights:
    def form_of(self, desk, user):
        return {"made_from": desk.get(f"/settings/staff/{user.pk}/").context["form"]["made_from"].value()}

    def test_it_works(self, desk, agent):
        fields = self.form_of(desk, agent) | {"role": "manager", "may_export": "on"}
        assert desk.post(f"/settings/staff/{agent.pk}/", fields).status_code == 302
        agent.refresh_from_db()
        assert (agent.role, agent.may_export) == (Role.MANAGER, True)

    def test_the_last_admin_is_told_why_not(self, desk, admin):
        answer = desk.post(f"/settings/staff/{admin.pk}/", self.form_of(desk, admin) | {"role": "viewer"})
        assert "last admin" in answer.content.decode()
        admin.refresh_from_db()
        assert admin.role == Role.ADMIN

    def test_what_another_admin_changed_meanwhile_stays(self, desk, agent):
        """The form was made when they might not export; another admin gave that, this one gives a role."""
        fields = self.form_of(desk, agent)
        User.objects.filter(pk=agent.pk).update(may_export=True)
        desk.post(f"/settings/staff/{agent.pk}/", fields | {"role": "manager"})
        agent.refresh_from_db()
        assert (agent.role, agent.may_export) == (Role.MANAGER, True)

    def test_the_same_field_changed_by_two_shows_both(self, desk, agent):
        fields = self.form_of(desk, agent)
        User.objects.filter(pk=agent.pk).update(role=Role.MARKETER)
        page = desk.post(f"/settings/staff/{agent.pk}/", fields | {"role": "manager"}).content.decode()
        assert "Theirs: Marketer" in page
        assert "Yours: Manager" in page

    @pytest.mark.django_db(transaction=True)
    def test_a_change_within_the_same_milliseconds_is_seen(self, desk, admin, agent):
        """The form is compared only when nobody else is at work on the account."""
        other = User.objects.create_user("other@example.com", PASSWORD, role=Role.ADMIN)
        fields, pages = self.form_of(desk, agent), []

        def post():
            pages.append(desk.post(f"/settings/staff/{agent.pk}/", fields | {"role": "manager"}).content.decode())
            connections.close_all()

        late = threading.Thread(target=post)
        with transaction.atomic():
            staff.change(user=agent, role=Role.MARKETER, may_export=False, by=other)
            late.start()
            late.join(0.5)
            assert late.is_alive()
        late.join()
        agent.refresh_from_db()
        assert agent.role == Role.MARKETER
        assert "Theirs: Marketer" in pages[0]


class TestActions:
    def test_deactivate_and_back(self, desk, agent):
        theirs = Client()
        theirs.force_login(agent)
        assert "cannot sign in" in act(desk, agent, "deactivate")
        assert theirs.get("/").status_code == 302
        assert "can sign in again" in act(desk, agent, "reactivate")
        agent.refresh_from_db()
        assert agent.is_active

    def test_it_says_how_many_keys_rest(self, desk, agent):
        for name in ("Shop", "Till"):
            keys.create(name=name, scopes=["orders"], created_by=agent, at=timezone.now())
        assert "2 API keys that they made stop working" in desk.get(f"/settings/staff/{agent.pk}/").content.decode()

    def test_what_cannot_be_done_is_said_and_not_done(self, desk, admin):
        assert "last admin" in act(desk, admin, "deactivate")
        admin.refresh_from_db()
        assert admin.is_active

    def test_reset_password_sends_their_own_link(self, desk, agent):
        assert "on its way" in act(desk, agent, "reset-password")
        (sent,) = mail.outbox
        assert sent.subject == "Choose a new password for Perennial"
        link = re.search(r"http://testserver(/\S+)", sent.body)[1]
        assert link in sent.alternatives[0].content
        accept(link, "an entirely new one")
        agent.refresh_from_db()
        assert agent.check_password("an entirely new one")

    def test_reset_second_factor(self, desk, agent):
        TOTP.activate(agent, "GEZDGNBVGY3TQOJQ")
        act(desk, agent, "reset-second-factor")
        assert not Authenticator.objects.exists()
        edit = Edit.objects.get(table="mfa_authenticator")
        assert (edit.action, edit.about, edit.about_id) == ("delete", "core_user", agent.pk)
        assert edit.user.email == "ada@example.com"

    def test_sign_out_everywhere(self, desk, agent):
        theirs = Client()
        theirs.post("/accounts/login/", {"login": agent.email, "password": PASSWORD})
        assert theirs.get("/").status_code == 200
        page = desk.get(f"/settings/staff/{agent.pk}/").content.decode()
        assert "Signed in on" in page
        act(desk, agent, "end-sessions")
        assert theirs.get("/").status_code == 302
        assert "Signed in on" not in desk.get(f"/settings/staff/{agent.pk}/").content.decode()
        assert not UserSession.objects.filter(user=agent).exists()

    @pytest.mark.parametrize("action", ["delete", "promote", "_link"])
    def test_what_is_no_action_is_404(self, desk, agent, action):
        assert desk.post(f"/settings/staff/{agent.pk}/{action}/").status_code == 404

    def test_a_get_does_nothing(self, desk, agent):
        assert desk.get(f"/settings/staff/{agent.pk}/deactivate/").status_code == 405
        agent.refresh_from_db()
        assert agent.is_active
