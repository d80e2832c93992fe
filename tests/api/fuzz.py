"""What the fuzzing tests share: the description as Schemathesis reads it, a small shop, and a judge of answers."""

import re
from datetime import UTC, datetime, timedelta

import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from core.api.description import document
from core.models import Job, Webhook
from crm.wsgi import application
from loyalty.models import Action, ReferralPlan
from loyalty.services import adjustments, referrals
from tests.api.callers import make_key
from tests.contracts import make_contract
from tests.desk import make_night, score
from tests.factories import make_business, make_customer, make_order, make_product
from tests.loyalty import offers
from tests.loyalty.rewards import make_member, make_programme, make_reward

AT = datetime(2026, 3, 1, tzinfo=UTC)
SETTINGS = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}

SCHEMA = schemathesis.openapi.from_dict(document())
SCHEMA.app = application

# Rules that a description cannot say: a refusal with one of these codes is right, whatever the description allows.
BEYOND = {
    *(
        "does_not_exist",
        "duplicate",
        "idempotency_mismatch",
        "other_currency",
        "refunded_line",
        "repeated_parameter",
        "sku_or_line",
        "too_much",
    ),
    *("bad_basket", "use_or_order"),  # codes
    *("points_or_reward", "needed_by_kind", "not_points"),  # points and rewards
    *("not-an-address", "not-encrypted", "not-public", "holds-a-password", "unknown_kind"),  # webhooks
    *("missing", "has_begun", "too_few", "too_many", "not_begun", "not_over", "already_decided"),  # contracts
    *("address", "blank", "empty", "future", "naive", "number", "overflow", "places", "range", "year", "zero"),
}
# Forms of texts, and fields that a business makes.
OWN = re.compile(r"(birthday|country|cursor|locale|time_zone)$|custom\.")
WORDS = re.compile("NUL|A number is too large or too small")
# A batch takes the orders that are right, and names the others in its answer.
TAKES_PARTS = {"/api/v1/orders/batch/"}


def make_shop():
    """One of each thing that an address may name, and their ids by the address's beginning."""
    make_business()
    customer = make_customer(external_id="c-1", name="Ada")
    make_product(sku="MUG-1")
    order = make_order(customer=customer, day=AT.date())
    make_night(score(customer))
    job = Job.objects.create(step="import", ready_at=AT)
    contract = make_contract(customer=customer, renewals=1)
    named = {"customers": customer.pk, "scores": customer.pk, "orders": order.pk, "jobs": job.pk}
    return {**named, "contracts": contract.pk, **make_programme_of(customer)}


def make_programme_of(advocate):
    """A member with points, and more that wait for a second person; a reward, a code for everybody with one use
    reserved, an advocate and a receiver."""
    make_programme()
    ReferralPlan.objects.create(opened_at=AT)
    Action.objects.create(code="review", name="A review", points=50)
    member, code = make_member(500, at=timezone.now()), offers.make_code(max_uses=None)
    use = offers.redeem(code, customer=member, at=timezone.now(), until=timezone.now() + timedelta(hours=1))
    asked = {"points": 1_000_000, "key": "waits", "at": timezone.now(), "reason": "A present"}
    webhook = Webhook.objects.create(url="https://shop.example.com/events", secret="whsec_", created_at=AT)
    return {
        "points": member.pk,
        "wallet": member.pk,
        "adjustments": adjustments.adjust(customer_id=member.pk, **asked).pk,
        "rewards": make_reward().pk,
        "codes": code.code,
        "uses": use.pk,
        "referrals": referrals.code_for(customer_id=advocate.pk, at=AT).code,
        "webhooks": webhook.pk,
    }


class Program:
    """A caller with these scopes. Every second right request for an id asks for one that exists."""

    def __init__(self, *scopes):
        self.ids = make_shop()
        self.headers = {"Authorization": f"Bearer {make_key(*scopes)[1]}", "Accept-Encoding": "identity"}
        self.cases = 0
        self.statuses = set()
        self.closed = set()

    def try_case(self, case):
        """Send the case and judge the answer."""
        known = self.ids.get(case.path.split("/")[3])
        names = [name for name in ("id", "customer", "code") if name in (case.path_parameters or {})]
        if known and self.cases % 2 and case.meta.generation.mode.is_positive and names:
            case.path_parameters[names[0]] = str(known)
        response = case.call(headers=self.headers)
        self.cases += 1
        self.statuses.add(response.status_code)
        self.judge(case, response)
        return response

    def judge(self, case, response, *, besides=()):
        """Whether an address is closed without the key is asked with two more requests: once is enough for each."""
        name = case.operation.label
        checks = [*not_asked(case, response), *besides, *[ignored_auth] * (name in self.closed)]
        case.validate_response(response, headers=self.headers, excluded_checks=checks)
        if 200 <= response.status_code < 300:
            self.closed.add(name)


def not_asked(case, response):
    """The checks that would blame the API for what it does on purpose."""
    checks = [positive_data_acceptance] if response.status_code in {400, 422} and is_beyond(response) else []
    # Another type as a parameter is sent as a text, which may be right again, and an empty list is not sent at all.
    is_flattened = any(value == [] or not isinstance(value, str | list) for value in (case.query or {}).values())
    return checks + ([negative_data_rejection] if is_flattened or case.path in TAKES_PARTS else [])


def is_beyond(response):
    return all(
        error["code"] in BEYOND or OWN.match(error["attr"] or "") or WORDS.search(error["detail"])
        for error in response.json()["errors"]
    )
