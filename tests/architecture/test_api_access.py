"""Every route of the API × method × key, as the access table declares it."""

import pytest
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from core.access import Anyone, methods_of
from core.api.permissions import AsDeclared
from core.api.views import ApiView
from core.models import ApiKey, Role, User
from core.scopes import SCOPES
from crm.access import TABLE
from tests.api.callers import Caller, caller, codes, expired, revoked
from tests.architecture.test_access import PAGES, PROGRAMS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROUTES = [(name, kwargs) for name, kwargs in PROGRAMS if name != "api:unknown"]
NAMES = [name for name, _ in ROUTES]
KEYLESS = {"no key", "wrong", "expired", "revoked"}


@pytest.fixture
def programs(db):
    """A caller for each scope, and those that no route but a public one may let in."""
    nobody = {"no key": Caller(), "wrong": Caller("per_" + "0" * 12 + "_" + "0" * 48)}
    return nobody | {"expired": expired(), "revoked": revoked()} | {scope: caller(scope) for scope in SCOPES}


@pytest.mark.parametrize(("turn", "route"), [*enumerate(ROUTES)], ids=NAMES)
def test_route_method_key_as_declared(turn, route, programs):
    """Each route asked by every key, with the methods that it has; with others by those without a key and one more."""
    name, kwargs = route
    url = reverse(name, kwargs=kwargs)
    methods = methods_of(table=TABLE, route=name)
    for number, method in enumerate(METHODS):
        allowed = methods.get("GET" if method == "HEAD" else method)
        asked = KEYLESS | {SCOPES[(turn + number) % len(SCOPES)]}
        for who in programs if method in methods else asked:
            program = programs[who]
            answer = program.send(method, url)
            assert expected(allowed, who)(answer.status_code), f"{method} {url} with {who}: {answer.status_code}"
            if answer.status_code >= 400 and method != "HEAD":
                assert set(answer.json()) == {"type", "errors"}


@pytest.mark.parametrize("scope", SCOPES)
def test_each_method_is_decided_for_each_key(scope):
    """Every route × method × scope, as the permission decides it before any view is at work."""
    key = ApiKey(scopes=[scope])
    for name, kwargs in ROUTES:
        url = reverse(name, kwargs=kwargs)
        for method in METHODS:
            allowed = TABLE[name].get("GET" if method == "HEAD" else method)
            assert expected(allowed, scope)(decided(method, url, key)), f"{method} {url} with {scope}"


def decided(method, url, key):
    plain = RequestFactory().generic(method, url)
    plain.resolver_match = resolve(url)
    request = Request(plain)
    request.auth = key
    try:
        return 200 if AsDeclared().has_permission(request, None) else 401
    except APIException as refused:
        return refused.status_code


def expected(allowed, who):
    """What the table promises this caller: let in, or refused by 401, 403 or 405."""
    if who in KEYLESS - {"no key"}:
        return lambda status: status == 401
    if allowed is not None and (Anyone.PUBLIC in allowed or who in allowed):
        return lambda status: status < 500 and status not in {401, 403, 405}
    if who == "no key":
        return lambda status: status == 401
    return lambda status: status == (405 if allowed is None else 403)


@pytest.mark.parametrize(("name", "kwargs"), ROUTES, ids=NAMES)
def test_each_view_asks_the_table_and_knows_its_methods(name, kwargs):
    view = resolve(reverse(name, kwargs=kwargs)).func.cls
    assert issubclass(view, ApiView)
    assert view.permission_classes == [AsDeclared]
    known = {method.upper() for method in view.http_method_names if hasattr(view, method)} - {"HEAD"}
    assert known == set(TABLE[name])


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kwargs"), ROUTES, ids=NAMES)
def test_an_admin_s_session_opens_nothing(name, kwargs):
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("a@example.com", "a long password", role=Role.ADMIN))
    for method, allowed in TABLE[name].items():
        status = client.generic(method, reverse(name, kwargs=kwargs)).status_code
        assert Anyone.PUBLIC in allowed or status == 401


@pytest.mark.django_db
def test_a_key_opens_no_page():
    program = caller("admin")
    for name, kwargs in PAGES:
        allowed = TABLE[name].get("GET", frozenset({Anyone.PUBLIC}))
        if Anyone.PUBLIC not in allowed:
            assert program.get(reverse(name, kwargs=kwargs)).status_code == 302, name


def test_any_other_address_404_whoever_asks(programs):
    assert {program.send(method, "/api/v2/").status_code for program in programs.values() for method in METHODS} == {
        404
    }


@pytest.mark.django_db
def test_an_address_without_its_slash_is_not_redirected():
    answer = caller("admin").post("/api/v1/schema", {})
    assert answer.status_code == 404
    assert codes(answer) == {None: "not_found"}
