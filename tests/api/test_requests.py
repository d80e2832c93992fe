"""What the base of the API takes and refuses, before any resource is asked."""

import pytest
from django.test import Client

from core.api.parsers import MAX_BODY_BYTES
from core.models import Business, User
from tests.api.callers import Caller, caller, codes, expired, make_key, revoked

ECHO = "/api/v1/echo/"
pytestmark = pytest.mark.django_db


def test_it_works(probe):
    body = {"name": "Mug", "price": "19.90", "unit_price": "0.3333", "is_new": True, "at": "2026-03-01T12:00:00+02:00"}
    answer = probe.post(ECHO, body | {"lines": [{"sku": "mug", "quantity": 2}]})
    assert answer.status_code == 200
    assert answer.json() == body | {"at": "2026-03-01T10:00:00Z", "lines": [{"sku": "mug", "quantity": 2}]}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Token x", "Bearer per_abc_def", "Bearer per_" + "a" * 12 + "_" + "b" * 48]
)
def test_without_a_valid_key_401(probe, header):
    probe.headers = {"Authorization": header}
    answer = probe.get(ECHO)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["type"] == "client_error"


def test_the_secret_of_another_key_401(probe):
    (_, one), (_, other) = make_key("orders"), make_key("orders")
    mixed = one[: one.rindex("_")] + other[other.rindex("_") :]
    assert Caller(mixed).get(ECHO).status_code == 401


def test_expired_and_revoked_keys_401(probe):
    assert {expired().get(ECHO).status_code, revoked().get(ECHO).status_code} == {401}


def test_a_session_counts_for_nothing(probe):
    client = Client()
    client.force_login(User.objects.create_user("a@example.com", "a long password", role="admin"))
    assert client.get(ECHO).status_code == 401


def test_scopes_open_what_the_table_says(probe):
    assert caller("orders:read").get(ECHO).status_code == 200
    assert caller("admin:read").get(ECHO).status_code == 200
    assert caller("admin").post(ECHO, {}).status_code == 200
    for scopes in (["orders:read"], ["admin:read"], ["customers"]):
        answer = caller(*scopes).post(ECHO, {})
        assert answer.status_code == 403
        assert "admin, orders" in answer.json()["errors"][0]["detail"]


def test_an_undeclared_route_403(probe):
    assert caller("admin").get("/api/v1/undeclared/").status_code == 403


def test_an_undeclared_method_405(probe):
    answer = probe.put(ECHO, {})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert codes(answer) == {None: "method_not_allowed"}
    assert Caller().put(ECHO, {}).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/echo", "/api/", "/api/v1/echo/a%00b/"])
def test_an_unknown_address_404(probe, path):
    answer = probe.get(path)
    assert answer.status_code == 404
    assert codes(answer) == {None: "not_found"}


def test_unknown_fields_are_named(probe):
    answer = probe.post(ECHO, {"name": 5, "colour": 1, "made_at": "x", "lines": [{"sku": "a", "quantity": 1, "x": 1}]})
    assert answer.status_code == 400
    assert codes(answer) == {
        "colour": "unknown_field",
        "made_at": "unknown_field",
        "name": "invalid",
        "lines.0.x": "unknown_field",
    }


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", 5, "invalid"),
        ("name", True, "invalid"),
        ("name", "x" * 21, "max_length"),
        ("name", None, "null"),
        ("is_new", "yes", "invalid"),
        ("is_new", 1, "invalid"),
        ("price", "1.234", "places"),
        ("price", "-1", "range"),
        ("price", "1e3", "invalid"),
        ("price", "NaN", "invalid"),
        ("price", " 1", "invalid"),
        ("price", "\N{ARABIC-INDIC DIGIT ONE}", "invalid"),
        ("price", True, "invalid"),
        ("price", [], "invalid"),
        ("price", "9999999999999999", "range"),
        ("unit_price", "0.33333", "places"),
        ("unit_price", "10000000000", "range"),
        ("at", "2026-03-01T12:00:00", "naive"),
        ("at", "2026-03-01", "naive"),
        ("at", "2026-02-30T12:00:00Z", "invalid"),
        ("at", "0001-01-01T00:00:00+14:00", "overflow"),
        ("at", "1899-12-31T00:00:00Z", "year"),
        ("at", 5, "invalid"),
        ("id", "0", "invalid"),
        ("id", "abc", "invalid"),
        ("id", "9" * 19, "invalid"),
        ("id", 1.5, "invalid"),
        ("lines", {}, "not_a_list"),
    ],
)
def test_a_wrong_value_400(probe, field, value, code):
    answer = probe.post(ECHO, {field: value})
    assert answer.status_code == 400
    assert codes(answer) in ({field: code}, {f"{field}.non_field_errors": code})


@pytest.mark.parametrize(("value", "kept"), [(19.9, "19.90"), (5, "5.00"), ("0.1", "0.10"), (0.1, "0.10")])
def test_an_amount_may_be_a_number(probe, value, kept):
    assert probe.post(ECHO, {"price": value}).json()["price"] == kept


def test_amounts_have_the_currency_s_decimals(probe):
    Business.objects.update_or_create(id=1, defaults={"currency": "JPY"})
    assert probe.post(ECHO, {"price": "100"}).json()["price"] == "100"
    assert codes(probe.post(ECHO, {"price": "100.5"})) == {"price": "places"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b" ", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"name": "\xff"}', "not valid JSON"),
        (b'{"name": "a\\u0000b"}', "NUL"),
        (b'{"a\\u0000b": 1}', "NUL"),
        (b'{"name": "\\ud800"}', "surrogate"),
        (b'{"name": "\\uDfff"}', "surrogate"),
        (b'{"price": NaN}', "not a number"),
        (b'{"price": -Infinity}', "not a number"),
        (b'{"price": 1e999}', "too large"),
        (b'{"price": 1e-999}', "too small"),
        (b'{"price": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"price": 0.' + b"1" * 50 + b"}", "too many digits"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_a_body_that_cannot_be_read_400(probe, body, words):
    answer = probe.send("POST", ECHO, raw=body)
    assert answer.status_code == 400
    assert codes(answer) == {None: "parse_error"}
    assert words in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("text", ["\\u0000", "\N{GRINNING FACE}", "\\ud800 as text"])
def test_harmless_texts_pass(probe, text):
    assert probe.post(ECHO, {"name": text}).json()["name"] == text


@pytest.mark.parametrize("body", [b"[]", b"1", b'"a"', b"null"])
def test_a_body_that_is_no_object_400(probe, body):
    assert probe.send("POST", ECHO, raw=body).status_code == 400


def test_a_large_body_413(probe):
    answer = probe.send("POST", ECHO, raw=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert codes(answer) == {None: "too_large"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_415(probe, content_type):
    assert probe.send("POST", ECHO, raw=b"{}", content_type=content_type).status_code == 415


def test_other_answers_406(probe):
    assert probe.get(ECHO, Accept="text/html").status_code == 406


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("size=1", {"size": "unknown_parameter"}),
        ("colour=a&colour=b", {"colour": "repeated_parameter"}),
        ("colour=%00", {"colour": "null_characters_not_allowed"}),
        ("format=json", {"format": "unknown_parameter"}),
        ("limit=5", {"limit": "unknown_parameter"}),
    ],
)
def test_query_parameters_are_not_guessed(probe, query, expected):
    assert probe.get(ECHO + "?colour=red").json() == {"colour": "red"}
    answer = probe.get(f"{ECHO}?{query}")
    assert answer.status_code == 400
    assert codes(answer) == expected


def test_an_error_of_ours_says_nothing_500(probe):
    answer = probe.get("/api/v1/failure/")
    assert answer.status_code == 500
    assert answer.json()["type"] == "server_error"
    assert "secret" not in answer.text
