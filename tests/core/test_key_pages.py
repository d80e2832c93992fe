"""Settings → API keys: an admin makes a key, sees it once, and ends it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core import keys
from core.forms.keys import AREAS
from core.models import ApiKey, Role, User
from tests.api.callers import Caller, make_key

LIST, CREATE = "/settings/api-keys/", "/settings/api-keys/new/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    user = User.objects.create_user("admin@example.com", "a long password", role=Role.ADMIN, name="Ada")
    client.force_login(user)
    return client


def create(client, **fields):
    return client.post(CREATE, {"name": "Web shop", "orders": "orders", "days": "30"} | fields)


def test_it_works(admin):
    page = create(admin, customers="customers:read").content.decode()
    text = re.search(r"per_[0-9a-f]{12}_[0-9a-f]{48}", page)[0]
    key = keys.find(text=text, at=timezone.now())
    assert (key.name, key.scopes, str(key.created_by)) == ("Web shop", ["customers:read", "orders"], "Ada")
    assert key.expires_at - key.created_at == timedelta(days=30)


def test_the_key_is_shown_once(admin):
    answer = create(admin)
    text = re.search(r"per_[0-9a-f]{12}_[0-9a-f]{48}", answer.content.decode())[0]
    assert "no-store" in answer.headers["Cache-Control"]
    listed = admin.get(LIST).content.decode()
    assert text not in listed
    assert text[: text.rindex("_")] in listed


@pytest.mark.parametrize("area", list(AREAS))
def test_the_command_beside_a_new_key_works(admin, area):
    page = create(admin, **({"orders": ""} | {area: f"{area}:read"})).content.decode()
    text, address = re.search(r'Bearer (\S+)" http://testserver(\S+)</code>', page).groups()
    assert Caller(text).get(address).status_code == 200


def test_a_key_may_have_no_end(admin):
    create(admin, days="")
    assert ApiKey.objects.get().expires_at is None


def test_the_list_says_what_each_key_is(admin):
    make_key("orders", name="Old", expires_at=datetime(2026, 1, 2, tzinfo=UTC))
    make_key("orders", name="Gone", revoked_at=datetime(2026, 1, 2, tzinfo=UTC))
    make_key("orders", name="Shop")
    page = admin.get(LIST).content.decode()
    for words in ("Expired", "Revoked", "Active", "A command", "Never"):
        assert words in page
    assert page.count("Revoke Shop") == 1
    assert "Revoke Old" not in page


def test_without_keys_the_page_says_what_to_do(admin):
    assert "No program has a key" in admin.get(LIST).content.decode()


def test_revoking_asks_first(admin):
    key, text = make_key("orders", name="Shop")
    url = reverse("settings:key_revoke", args=[key.pk])
    assert "Revoke Shop?" in admin.get(url).content.decode()
    assert keys.find(text=text, at=timezone.now())
    answer = admin.post(url, follow=True)
    assert "Shop is revoked" in answer.content.decode()
    with pytest.raises(keys.Refused):
        keys.find(text=text, at=timezone.now())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "This field is required"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "a\0b"}, "Null characters"),
        ({"orders": ""}, "Choose at least one thing"),
        ({"orders": "admin"}, "Select a valid choice"),
        ({"days": "9999"}, "Select a valid choice"),
    ],
)
def test_it_refuses(admin, fields, words):
    answer = create(admin, **fields)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_names_are_escaped(admin):
    make_key("orders", name="<script>x</script>")
    assert "<script>x" not in admin.get(LIST).content.decode()


def test_queries_do_not_grow(admin, django_assert_max_num_queries):
    for _ in range(5):
        make_key("orders")
    with django_assert_max_num_queries(8):
        admin.get(LIST)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.MARKETER, Role.AGENT, Role.VIEWER])
def test_others_get_403(client, role):
    client.force_login(User.objects.create_user("a@example.com", "a long password", role=role))
    assert {client.get(LIST).status_code, create(client).status_code} == {403}
    assert not ApiKey.objects.exists()
