"""`./manage.py create_admin EMAIL`: the first admin where nobody can open a link in the home."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from core.models import Role, User

pytestmark = pytest.mark.django_db


def create(email="ada@example.com"):
    out = StringIO()
    call_command("create_admin", email, stdout=out, skip_checks=True)
    return out.getvalue()


def test_it_works(settings):
    settings.PUBLIC_URL = "https://crm.shop.test"
    link = create().splitlines()[-1]
    assert link.startswith("https://crm.shop.test/accounts/password/reset/key/")
    user = User.objects.get()
    assert (user.role, user.is_staff, user.is_superuser) == (Role.ADMIN, True, True)
    assert timedelta(hours=23) < user.invited_until - timezone.now() <= timedelta(hours=24)
    browser = Client()
    page = browser.get(link.removeprefix("https://crm.shop.test"), follow=True)
    password = {"password1": "a very long one", "password2": "a very long one"}
    assert browser.post(page.redirect_chain[-1][0], password).url == "/"
    assert browser.get("/settings/staff/").status_code == 200


def test_again_makes_a_new_link_and_closes_the_old_one():
    first = create()
    User.objects.update(invited_until=timezone.now() - timedelta(hours=1))
    second = create()
    assert User.objects.count() == 1
    old, new = ("/" + text.splitlines()[-1].split("/", 3)[3] for text in (first, second))
    assert "does not work any more" in Client().get(old, follow=True).content.decode()
    assert "Choose a password" in Client().get(new, follow=True).content.decode()


def test_with_an_admin_there_it_refuses():
    User.objects.create_user("bea@example.com", "a long password", role=Role.ADMIN)
    with pytest.raises(CommandError, match="There is an admin already") as refusal:
        create()
    assert refusal.value.returncode == 2
    assert User.objects.count() == 1


def test_what_is_no_address_is_refused():
    with pytest.raises(CommandError, match="valid email"):
        create("ada")
    assert not User.objects.exists()


def test_somebody_who_is_there_with_another_role_is_named():
    User.objects.create_user("ada@example.com", role=Role.VIEWER)
    with pytest.raises(CommandError, match="has an account already"):
        create()
