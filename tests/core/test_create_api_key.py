from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core import keys
from core.models import ApiKey

pytestmark = pytest.mark.django_db


def create(*arguments):
    out = StringIO()
    call_command("create_api_key", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_it_works():
    lines = create("Web shop", "--scope", "orders", "--scope", "customers:read")
    key = keys.find(text=lines[-1], at=timezone.now())
    assert (key.name, key.scopes, key.expires_at) == ("Web shop", ["customers:read", "orders"], None)
    assert "customers:read, orders" in lines[0]


def test_the_key_ends():
    text = create("Trial", "--scope", "orders", "--expires", "30")[-1]
    assert keys.find(text=text, at=timezone.now() + timedelta(days=29))
    with pytest.raises(keys.Refused):
        keys.find(text=text, at=timezone.now() + timedelta(days=31))


def test_the_secret_is_not_stored():
    text = create("Web shop", "--scope", "orders")[-1]
    secret = text.rsplit("_", 1)[1]
    assert not any(secret in str(value) for row in ApiKey.objects.values() for value in row.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x", "--scope", "sales"], "There is no scope sales. The scopes are customers, orders"),
        (["x", "--scope", "orders:write"], "orders:write"),
        (["x"], "--scope"),
        ([" ", "--scope", "orders"], "a name"),
        (["x" * 81, "--scope", "orders"], "a name"),
        (["x", "--scope", "orders", "--expires", "0"], "1 to 3650 days"),
    ],
)
def test_it_refuses(arguments, words):
    with pytest.raises(CommandError, match=words):
        create(*arguments)
    assert not ApiKey.objects.exists()
