"""Who may be invited, changed and sent away; an admin is always left."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connections

from core import keys, staff
from core.models import Role, User

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def make_user(email="ada@example.com", *, role=Role.ADMIN, **fields):
    return User.objects.create_user(email, "a long password", role=role, **fields)


@pytest.fixture
def ada():
    return make_user()


@pytest.fixture
def bea():
    return make_user("bea@example.com")


def browser_of(client, user):
    client.force_login(user)
    assert client.get("/").status_code == 200
    return client


class TestInvite:
    def test_it_works(self):
        user = staff.invite(email="Eve@Example.com", role=Role.AGENT, may_export=True, at=AT)
        assert (user.role, user.may_export, user.is_staff) == (Role.AGENT, True, False)
        assert not user.has_usable_password()
        assert user.invited_until == AT + timedelta(days=7)

    def test_an_address_has_one_account_whatever_the_case(self, ada):
        with pytest.raises(staff.StaffError, match="already"):
            staff.invite(email="ADA@example.com", role=Role.AGENT, at=AT)

    def test_again_moves_the_end(self):
        user = staff.invite(email="eve@example.com", role=Role.AGENT, at=AT)
        assert staff.invite_again(user=user, at=AT + timedelta(days=3)).invited_until == AT + timedelta(days=10)

    def test_an_accepted_one_is_neither_renewed_nor_withdrawn(self, ada):
        with pytest.raises(staff.StaffError, match="accepted"):
            staff.invite_again(user=ada, at=AT)
        with pytest.raises(staff.StaffError, match="accepted"):
            staff.withdraw(user=ada)
        assert User.objects.filter(pk=ada.pk).exists()

    def test_withdrawing_takes_the_account_away(self):
        staff.withdraw(user=staff.invite(email="eve@example.com", role=Role.AGENT, at=AT))
        assert not User.objects.exists()


class TestChange:
    def test_it_works(self, ada, bea):
        changed = staff.change(user=bea, role=Role.AGENT, may_export=True, by=ada)
        assert (changed.role, changed.may_export, changed.is_staff) == (Role.AGENT, True, False)

    @pytest.mark.parametrize(("role", "may_export"), [(Role.MANAGER, False), (Role.AGENT, True)])
    def test_it_ends_their_sessions(self, client, ada, role, may_export):
        eve = make_user("eve@example.com", role=Role.AGENT)
        browser_of(client, eve)
        staff.change(user=eve, role=role, may_export=may_export, by=ada)
        assert client.get("/").status_code == 302

    def test_the_same_rights_end_nothing(self, client, ada):
        eve = make_user("eve@example.com", role=Role.AGENT)
        browser_of(client, eve)
        staff.change(user=eve, role=Role.AGENT, may_export=False, by=ada)
        assert client.get("/").status_code == 200

    def test_nobody_changes_their_own_role(self, ada, bea):
        with pytest.raises(staff.StaffError, match="your own role"):
            staff.change(user=ada, role=Role.VIEWER, may_export=False, by=ada)

    def test_the_last_admin_stays_one(self, ada):
        with pytest.raises(staff.StaffError, match="last admin"):
            staff.change(user=ada, role=Role.VIEWER, may_export=False, by=ada)

    def test_an_invited_or_sleeping_admin_is_nobody_to_rely_on(self, ada):
        staff.invite(email="eve@example.com", role=Role.ADMIN, at=AT)
        make_user("old@example.com", is_active=False)
        with pytest.raises(staff.StaffError, match="last admin"):
            staff.deactivate(user=ada, by=ada)

    def test_somebody_who_is_no_admin_any_more_changes_nothing(self, ada, bea):
        User.objects.filter(pk=ada.pk).update(role=Role.VIEWER)
        with pytest.raises(staff.StaffError, match="not an admin"):
            staff.change(user=bea, role=Role.VIEWER, may_export=False, by=ada)


class TestDeactivate:
    def test_it_ends_sessions_for_good(self, client, ada, bea):
        browser_of(client, bea)
        staff.deactivate(user=bea, by=ada)
        assert client.get("/").status_code == 302
        staff.reactivate(user=bea)
        assert client.get("/").status_code == 302

    def test_it_stops_their_keys_until_they_are_back(self, ada, bea):
        _, text = keys.create(name="Shop", scopes=["orders"], created_by=bea, at=AT)
        staff.deactivate(user=bea, by=ada)
        with pytest.raises(keys.Refused):
            keys.find(text=text, at=AT)
        staff.reactivate(user=bea)
        assert keys.find(text=text, at=AT).name == "Shop"

    def test_nobody_deactivates_themselves(self, ada, bea):
        with pytest.raises(staff.StaffError, match="your own account"):
            staff.deactivate(user=ada, by=ada)


class TestSecondFactor:
    def test_reset_takes_every_factor_and_the_sessions(self, client, ada):
        Authenticator.objects.create(user=ada, type="totp", data={})
        Authenticator.objects.create(user=ada, type="recovery_codes", data={})
        client.force_login(ada)
        assert staff.reset_second_factor(user=ada) == 2
        assert not Authenticator.objects.exists()
        assert client.get("/").status_code == 302

    def test_others_keep_theirs(self, ada, bea):
        Authenticator.objects.create(user=bea, type="totp", data={})
        assert staff.reset_second_factor(user=ada) == 0
        assert Authenticator.objects.count() == 1


def demote_each_other(ada, bea):
    """Both at once, from two connections; what each of them was told."""
    told, start = [], threading.Barrier(2)

    def demote(by, user):
        start.wait()
        try:
            staff.change(user=user, role=Role.VIEWER, may_export=False, by=by)
            told.append("done")
        except staff.StaffError as error:
            told.append(str(error))
        finally:
            connections.close_all()

    pair = [threading.Thread(target=demote, args=people) for people in ((ada, bea), (bea, ada))]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    return sorted(told)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_one_of_two_who_demote_each_other_is_refused(self, ada, bea):
        assert demote_each_other(ada, bea) == ["You are not an admin any more.", "done"]
        assert User.objects.filter(role=Role.ADMIN).count() == 1

    def test_without_the_lock_nobody_would_be_left(self, ada, bea, monkeypatch):
        """The protection taken away: both look, both find two admins, both go on."""
        looked = threading.Barrier(2)

        def look():
            admins = set(User.objects.filter(role=Role.ADMIN).values_list("id", flat=True))
            looked.wait()
            return admins

        monkeypatch.setattr(staff, "_lock_admins", look)
        assert demote_each_other(ada, bea) == ["done", "done"]
        assert not User.objects.filter(role=Role.ADMIN).exists()
