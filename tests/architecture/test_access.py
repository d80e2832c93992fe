"""Every route × method × role of the project, as the access table declares it."""

import uuid
from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, resolve, reverse
from django.urls.resolvers import RoutePattern

from core.access import AccessMiddleware, Anyone, may, methods_of
from core.models import Role, User
from crm.access import TABLE

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SAMPLES = {"int": 1, "str": "x", "slug": "x", "path": "x", "uuid": uuid.UUID(int=1), "date": "2026-01-31"}

# Routes of libraries that are closed on purpose: accounts are made by an admin, and nobody signs in with a network.
CLOSED = frozenset(
    {
        "account_signup",
        "account_signup_by_passkey",
        "mfa_signup_webauthn",
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
        "account_confirm_login_code",
        "account_request_login_code",
        "mfa_trust",
        "account_login_by_code",
    }
)


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Each route of the project with the name that the table knows it by."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        else:
            yield prefix + (pattern.name or ""), pattern


def address(name: str, pattern: URLPattern) -> str | None:
    """An address of the route with made-up arguments; None for patterns of libraries that cannot be made up."""
    converters = pattern.pattern.converters if isinstance(pattern.pattern, RoutePattern) else {}
    kwargs = {
        key: SAMPLES[type(c).__name__.removesuffix("Converter").lower().replace("string", "str")]
        for key, c in converters.items()
    }
    try:
        return reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        return None


OURS = [(name, pattern) for name, pattern in routes() if not name.startswith("admin:") and name not in CLOSED]


def test_every_route_is_declared():
    missing = {name for name, _ in OURS if methods_of(table=TABLE, route=name) is None}
    assert not missing, f"add these routes to crm.access: {sorted(missing)}"


def test_the_table_names_no_route_that_is_gone():
    known = {name for name, _ in routes()}
    assert {name for name in TABLE if not name.endswith(":*")} <= known


def test_closed_routes_are_closed():
    assert not {name for name in CLOSED if methods_of(table=TABLE, route=name)}


@pytest.fixture
def callers(db):
    """A signed-in client for each role, and a guest."""
    clients: dict[str | None, Client] = {None: Client(raise_request_exception=False)}
    for role in Role.values:
        user = User.objects.create_user(f"{role}@example.com", "a long password", role=role, is_staff=role == "admin")
        clients[role] = Client(raise_request_exception=False)
        clients[role].force_login(user)
    return clients


@pytest.mark.parametrize(("name", "pattern"), OURS, ids=[name for name, _ in OURS])
def test_route_method_role_as_declared(name, pattern, callers):
    url = address(name, pattern)
    if url is None:
        pytest.skip(f"{name} takes arguments that cannot be made up")
    methods = methods_of(table=TABLE, route=name)
    assert methods is not None
    for method in METHODS:
        allowed = methods.get("GET" if method == "HEAD" else method)
        for role, client in callers.items():
            status = client.generic(method, url).status_code
            expected = _expected(allowed, role)
            assert expected(status), f"{method} {url} as {role or 'guest'} answered {status}"


def _expected(allowed, role):
    """What the table promises: let in, sent to sign in, or refused by 403 or 405."""
    if role is None and (allowed is None or Anyone.PUBLIC not in allowed):
        return lambda status: status in {302, 405}
    if allowed is None:
        return lambda status: status == 405
    if not may(roles=allowed, role=role):
        return lambda status: status == 403
    return lambda status: status < 500 and status not in {403, 405}


def test_an_undeclared_route_is_refused(rf: RequestFactory):
    request = rf.get("/")
    request.user = User(email="a@example.com", role=Role.ADMIN)
    request.resolver_match = resolve("/accounts/signup/")
    with pytest.raises(PermissionDenied, match="not in the access table"):
        AccessMiddleware(lambda r: HttpResponse()).process_view(request, lambda r: HttpResponse(), (), {})


def test_admin_site_is_for_admins(callers):
    for role, client in callers.items():
        status = client.get("/admin/").status_code
        assert status == {"admin": 200, None: 302}.get(role, 403), role
