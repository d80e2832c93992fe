"""Programs that call: a Django client with a key, and the keys themselves."""

import json
from datetime import UTC, datetime, timedelta

from django.test import Client

from core import keys
from core.models import ApiKey

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def make_key(*scopes, **fields):
    """A key's row and its full text."""
    key, text = keys.create(name="shop", scopes=scopes or ("admin",), created_by=None, at=MADE)
    if fields:
        ApiKey.objects.filter(pk=key.pk).update(**fields)
        key.refresh_from_db()
    return key, text


class Caller:
    """Sends JSON with a key, and reads JSON."""

    def __init__(self, text="", **options):
        self.client = Client(raise_request_exception=False, **options)
        self.headers = {"Authorization": f"Bearer {text}"} if text else {}

    def send(self, method, url, body=None, *, raw=None, content_type="application/json", **headers):
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, url, data, content_type=content_type, headers=self.headers | named)

    def get(self, url, **headers):
        return self.send("GET", url, **headers)

    def post(self, url, body=None, **options):
        return self.send("POST", url, body, **options)

    def put(self, url, body=None, **options):
        return self.send("PUT", url, body, **options)


def caller(*scopes, **fields):
    return Caller(make_key(*scopes, **fields)[1])


def expired():
    return caller(expires_at=MADE + timedelta(days=1))


def revoked():
    return caller(revoked_at=MADE)


def codes(answer):
    """`{attr: code}` of an error."""
    return {error["attr"]: error["code"] for error in answer.json()["errors"]}
