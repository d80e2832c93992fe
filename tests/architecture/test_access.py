"""Every route × method × role of the project, as the access table declares it."""

import uuid
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.urls.resolvers import RegexPattern
from django.utils import timezone

from core.access import AccessMiddleware, Anyone, may, methods_of
from core.models import CUSTOMER, Role, User
from crm.access import TABLE
from customers.models import PortalAccess
from tests.factories import make_customer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SAMPLES = {
    **dict.fromkeys(("IntConverter", "IdConverter", "StringConverter", "SlugConverter", "PathConverter"), "1"),
    "UUIDConverter": str(uuid.UUID(int=1)),
}

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


def routes(
    resolver: URLResolver | None = None, prefix: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each route of the project: the name that the table knows it by, and made-up arguments for its address."""
    for pattern in (resolver or get_resolver()).url_patterns:
        parts = (*above, *_arguments(pattern))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix, parts)
        else:
            yield prefix + (pattern.name or ""), dict(part.split("=") for part in parts)


def _arguments(pattern: URLPattern | URLResolver) -> Iterator[str]:
    """`name=sample` of each argument that the pattern itself takes."""
    if isinstance(pattern.pattern, RegexPattern):
        yield from (f"{name}=1" for name in pattern.pattern.regex.groupindex)
    for name, converter in pattern.pattern.converters.items():
        yield f"{name}={SAMPLES[type(converter).__name__]}"


OURS = [(name, kwargs) for name, kwargs in routes() if not name.startswith("admin:") and name not in CLOSED]
PAGES = [(name, kwargs) for name, kwargs in OURS if not name.startswith("api:")]
PROGRAMS = [(name, kwargs) for name, kwargs in OURS if name.startswith("api:")]


def test_every_route_is_declared():
    missing = {name for name, _ in OURS if methods_of(table=TABLE, route=name) is None}
    assert not missing, f"add these routes to crm.access: {sorted(missing)}"


def test_the_table_names_no_route_that_is_gone():
    known = {name for name, _ in routes()}
    assert {name for name in TABLE if not name.endswith(":*")} <= known


def test_closed_routes_are_closed():
    assert not {name for name in CLOSED if methods_of(table=TABLE, route=name)}


def make_people():
    """Somebody of each role, the least of them who may export, and a customer; not saved."""
    people = [User(email=f"{role}@example.com", role=role, is_staff=role == "admin") for role in Role.values]
    people.append(User(email="exporter@example.com", role=Role.VIEWER, may_export=True))
    return [*people, User(email="customer@example.com", role=CUSTOMER, may_export=True)]


def test_each_method_is_decided_for_each_role(rf: RequestFactory):
    """Every route × method × role, as the middleware decides it before any page is made."""
    decide = AccessMiddleware(lambda request: HttpResponse()).process_view
    for name, kwargs in PAGES:
        url, methods = reverse(name, kwargs=kwargs), TABLE[name]
        for method in METHODS:
            allowed = methods.get("GET" if method == "HEAD" else method)
            for user in (AnonymousUser(), *make_people()):
                request = rf.generic(method, url)
                request.user, request.resolver_match = user, resolve(url)
                assert _decided(decide, request) == _declared(allowed, user), f"{method} {url} as {user}"


def _decided(decide, request):
    try:
        answer = decide(request, request.resolver_match.func, (), {})
    except PermissionDenied:
        return 403
    return answer.status_code if answer else 200


def _declared(allowed, user):
    if allowed is None:
        return 405
    return 200 if may(roles=allowed, user=user) else 403


@pytest.fixture
def callers(db):
    """A guest and each of the people, with a client each."""
    people = make_people()
    callers = [(AnonymousUser(), Client(raise_request_exception=False))]
    for user in User.objects.bulk_create(people):
        client = Client(raise_request_exception=False)
        client.force_login(user)
        callers.append((user, client))
    PortalAccess.objects.create(
        user=people[-1], customer=make_customer(), address=people[-1].email, made_at=timezone.now()
    )
    return callers


@pytest.mark.parametrize(("turn", "page"), [*enumerate(PAGES)], ids=[name for name, _ in PAGES])
def test_route_method_role_as_declared(turn, page, callers):
    """Each page asked for by everybody, with the methods that it has; with others by two callers in turn."""
    name, kwargs = page
    url = reverse(name, kwargs=kwargs)
    methods = methods_of(table=TABLE, route=name)
    assert methods is not None
    for number, method in enumerate(METHODS):
        allowed = methods.get("GET" if method == "HEAD" else method)
        for user, client in callers if method in methods else two_of(callers, turn + number):
            status = client.generic(method, url).status_code
            expected = _expected(allowed, user)
            assert expected(status), f"{method} {url} as {user} answered {status}"


def two_of(callers, turn):
    """The guest, and one of the others: another one each time."""
    return [callers[0], callers[1 + turn % (len(callers) - 1)]]


def _expected(allowed, user):
    """What the table promises: let in, sent to sign in, or refused by 403 or 405."""
    if user.is_anonymous and (allowed is None or Anyone.PUBLIC not in allowed):
        return lambda status: status in {302, 405}
    if allowed is None:
        return lambda status: status == 405
    if not may(roles=allowed, user=user):
        return lambda status: status == 403
    return lambda status: status < 500 and status not in {403, 405}


def test_customers_and_staff_share_no_page():
    """What is not for everybody is for one of the two."""
    for name, methods in TABLE.items():
        for method, roles in methods.items():
            both = CUSTOMER in roles and roles & {*Role.values, Anyone.SIGNED_IN, Anyone.MAY_EXPORT}
            assert not both, f"{method} {name}"
            assert (CUSTOMER in roles) <= name.startswith("me:")


def test_an_undeclared_route_is_refused(rf: RequestFactory):
    request = rf.get("/")
    request.user = User(email="a@example.com", role=Role.ADMIN)
    request.resolver_match = resolve("/accounts/signup/")
    with pytest.raises(PermissionDenied, match="not in the access table"):
        AccessMiddleware(lambda r: HttpResponse()).process_view(request, lambda r: HttpResponse(), (), {})


def test_admin_site_is_for_admins(callers):
    for user, client in callers:
        status = client.get("/admin/").status_code
        assert status == (302 if user.is_anonymous else 200 if user.role == Role.ADMIN else 403), user


@pytest.mark.parametrize(
    ("role", "may_export", "opens"),
    [
        (Role.VIEWER, True, True),
        (Role.ADMIN, False, True),
        *((role, False, False) for role in Role.values if role != Role.ADMIN),
    ],
)
def test_an_export_needs_its_own_permission(role, may_export, opens):
    user = User(email="a@example.com", role=role, may_export=may_export)
    assert may(roles=frozenset({Anyone.MAY_EXPORT}), user=user) is opens


def test_a_guest_does_not_export():
    assert not may(roles=frozenset({Anyone.MAY_EXPORT}), user=AnonymousUser())
