"""Keys of programs: found by their text alone, noted when used, closed for good."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from core import keys, scopes
from core.models import ApiKey
from tests.api.callers import MADE, make_key

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_it_works():
    key, text = make_key("orders")
    assert keys.find(text=text, at=AT) == key


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text + "0", lambda text: text[:-1], lambda text: " " + text]
)
def test_any_other_text_is_refused(change):
    _, text = make_key("orders")
    with pytest.raises(keys.Refused):
        keys.find(text=change(text), at=AT)


def test_it_ends_at_its_time():
    key, text = make_key("orders", expires_at=AT)
    assert keys.find(text=text, at=AT - timedelta(seconds=1)) == key
    with pytest.raises(keys.Refused):
        keys.find(text=text, at=AT)


def test_revoked_keys_stay_revoked():
    key, text = make_key("orders")
    keys.revoke(key=key, at=AT)
    keys.revoke(key=key, at=AT + timedelta(days=1))
    key.refresh_from_db()
    assert key.revoked_at == AT
    assert key.state_at(AT) == ApiKey.State.REVOKED
    with pytest.raises(keys.Refused):
        keys.find(text=text, at=AT)


def used(key):
    return ApiKey.objects.get(pk=key.pk).last_used_at


def test_use_is_noted_once_a_minute(django_assert_num_queries):
    key, _ = make_key("orders")
    keys.note_use(key=key, at=AT)
    keys.note_use(key=key, at=AT + timedelta(seconds=59))
    assert used(key) == AT
    key.refresh_from_db()
    with django_assert_num_queries(0):
        keys.note_use(key=key, at=AT + timedelta(seconds=59))
    keys.note_use(key=key, at=AT + timedelta(seconds=60))
    assert used(key) == AT + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"name": ""}, "a_key_has_a_name"),
        ({"scopes": []}, "a_key_has_known_scopes"),
        ({"scopes": ["sales"]}, "a_key_has_known_scopes"),
        ({"digest": "secret"}, "a_key_is_stored_as_a_digest"),
        ({"expires_at": MADE}, "a_key_expires_after_it_was_made"),
    ],
)
def test_the_database_refuses(change, constraint):
    key, _ = make_key("orders")
    with pytest.raises(IntegrityError, match=constraint):
        ApiKey.objects.filter(pk=key.pk).update(**change)


@pytest.mark.parametrize(
    ("needed", "enough"),
    [
        ("orders", {"orders", "admin"}),
        ("orders:read", {"orders", "orders:read", "admin", "admin:read"}),
        ("admin", {"admin"}),
    ],
)
def test_writing_includes_reading_and_admin_everything(needed, enough):
    assert scopes.opening(needed) == enough


def test_an_unknown_scope_cannot_be_needed():
    with pytest.raises(ValueError, match="sales"):
        scopes.opening("sales")
