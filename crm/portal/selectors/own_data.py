"""Everything that is kept about a customer, in files: one JSON for programs, a CSV of each kind for people.

What each file holds stands in TABLES: a model, the lookup that leads to the customer, and the columns.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet

from analytics.models import Score
from core.formulas import plain
from customers.models import (
    Consent,
    Contract,
    Customer,
    Email,
    Identity,
    Membership,
    Order,
    OrderLine,
    Phone,
    PortalAccess,
    Refund,
    Tagging,
    UnmatchedReturn,
)
from customers.selectors import merged
from loyalty.models import (
    Account,
    Act,
    BirthdayGiven,
    Code,
    Lot,
    Move,
    Posting,
    Redemption,
    Referral,
    ReferralCode,
    Reply,
    Standing,
    Use,
)

IN_MEMORY: Final = 4 << 20
# A spreadsheet would take a cell that begins so for a formula.


@dataclass(frozen=True, kw_only=True)
class Table:
    name: str
    model: type[Model]
    columns: tuple[str, ...]
    lookup: str = "customer"
    only: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, customer_ids: Sequence[int]) -> QuerySet[Any, tuple[Any, ...]]:
        found = self.model._default_manager.filter(**{f"{self.lookup}__in": customer_ids}, **self.only)
        return found.order_by("pk").values_list(*self.columns)


TABLES: Final = (
    Table(
        name="customer",
        model=Customer,
        lookup="pk",
        columns=(
            "id",
            "name",
            "company__name",
            "channel",
            *("street", "postcode", "city", "region", "country"),
            "locale",
            "time_zone",
            "birthday",
            "messages_paused_until",
            "custom",
            "created_at",
        ),
    ),
    Table(name="emails", model=Email, columns=("address",)),
    Table(name="phones", model=Phone, columns=("number",)),
    Table(name="identities", model=Identity, columns=("source", "external_id")),
    Table(
        name="sign_in",
        model=PortalAccess,
        columns=("address", "made_at", "verified_at", "user__last_login", "user__language"),
    ),
    Table(
        name="orders",
        model=Order,
        columns=(
            *("id", "source", "external_id", "status", "placed_at", "channel"),
            *("net_cents", "tax_cents", "shipping_cents", "fully_refunded_on"),
        ),
    ),
    Table(
        name="order_lines",
        model=OrderLine,
        lookup="order__customer",
        columns=(
            *("order_id", "position", "product__sku", "product__name", "quantity", "unit_price", "discount_cents"),
            *("net_cents", "refunded_quantity", "refunded_cents"),
        ),
    ),
    Table(name="refunds", model=Refund, columns=("order_id", "external_id", "refunded_at", "net_cents")),
    Table(
        name="returns",
        model=UnmatchedReturn,
        columns=("external_id", "returned_at", "product__sku", "quantity", "net_cents"),
    ),
    Table(name="contracts", model=Contract, columns=("external_id", "plan", "agreed_on", "starts_on")),
    Table(name="segments", model=Membership, columns=("segment__slug",)),
    Table(name="tags", model=Tagging, columns=("segment__slug", "added_at", "removed_at")),
    # What the shop expects of the customer, as it stands today.
    Table(
        name="estimates",
        model=Score,
        only={"run__is_current": True},
        columns=(
            *("run__as_of", "orders", "last_at", "value_cents", "p_alive", "churn_risk", "expected_orders"),
            *("clv_cents", "next_order_on", "segment"),
        ),
    ),
    Table(name="consents", model=Consent, columns=("channel", "purpose", "is_given", "wording", "source", "ip", "at")),
    Table(name="balance", model=Account, columns=("balance", "pending", "held", "earned", "spent", "expired")),
    Table(
        name="points",
        model=Posting,
        columns=("id", "kind", "points", "pending_points", "held_points", "at", "order_id", "reason"),
    ),
    Table(
        name="point_batches",
        model=Lot,
        lookup="account__customer",
        columns=("points", "points_left", "earned_at", "active_at", "expires_at"),
    ),
    Table(name="actions", model=Act, columns=("action__code", "at")),
    Table(name="tier", model=Standing, columns=("tier__name", "since", "until", "value")),
    Table(name="tier_changes", model=Move, columns=("before__name", "after__name", "at")),
    Table(
        name="redemptions",
        model=Redemption,
        columns=("code", "reward__name", "points", "money_off_cents", "state", "made_at", "handled_at"),
    ),
    Table(
        name="offers_used",
        model=Use,
        columns=("offer__name", "code__code", "state", "used_at", "discount_cents", "reference"),
    ),
    Table(
        name="codes", model=Code, lookup="holder", columns=("code", "offer__name", "used", "created_at", "expires_at")
    ),
    Table(name="friends_code", model=ReferralCode, columns=("code", "starts_at", "ends_at")),
    # Whom they brought is the friends' to tell.
    Table(
        name="friends_brought",
        model=Referral,
        lookup="advocate",
        columns=("state", "claimed_at", "converted_at", "due_at", "advocate_points"),
    ),
    Table(
        name="brought_by_a_friend",
        model=Referral,
        lookup="friend",
        columns=("state", "claimed_at", "converted_at", "due_at", "friend_points"),
    ),
    Table(name="events", model=Reply, columns=("event__name", "state", "since")),
    Table(name="birthday_gifts", model=BirthdayGiven, columns=("given_on", "points")),
)


def archive(customer: Customer) -> IO[bytes]:
    """A zip of everything, at its start, also of what is kept under the numbers of customers who were merged into this
    one. Amounts are in the currency's minor unit, times in UTC.
    """
    ids = merged.everybody(customer.pk)
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    whole: dict[str, list[Mapping[str, Any]]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for table in TABLES:
            rows = list(table.rows(ids))
            whole[table.name] = [dict(zip(table.columns, row, strict=True)) for row in rows]
            if rows:
                packed.writestr(f"{table.name}.csv", _csv(table.columns, rows))
        packed.writestr("data.json", json.dumps(whole, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
    file.seek(0)
    return file


def _csv(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    """The byte order mark tells spreadsheets that it is UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_lines(columns, rows))
    return "\ufeff" + text.getvalue()


def _lines(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Iterator[list[Any]]:
    yield [name.replace("__", "_") for name in columns]
    for row in rows:
        yield [harmless(value) for value in row]


def harmless(value: object) -> object:
    """A text that a spreadsheet does not run: with an apostrophe before what would begin a formula."""
    if isinstance(value, dict):
        value = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return plain(value) if isinstance(value, str) else value
