"""A few rows of what an import made and changed, to be shown before it is decided on."""

from typing import Any, Final

from django.db.models import Model
from django.forms.models import model_to_dict

from customers.importing.extras import name_of
from customers.models import ContractTerm, Customer, ImportedRow, Order

SHOWN: Final = 5
ORDER_FIELDS: Final = ("status", "placed_on", "net_cents", "tax_cents", "shipping_cents", "channel")
CONTRACT_FIELDS: Final = (
    *("plan", "agreed_on", "starts_on", "term_months", "value_cents", "margin_rate", "renews_automatically"),
    "is_billed_by_orders",
)
TERM_FIELDS: Final = ("ends_on", "outcome")
CUSTOMER_FIELDS: Final = (
    *("name", "street", "postcode", "city", "region", "country", "locale", "time_zone", "birthday", "channel"),
)

Example = dict[str, Any]


def created(*, batch_id: int, kind: str) -> list[Example]:
    """The first orders, customers or contracts that the batch made."""
    if kind == "contracts":
        return [_contract(row) for row in _last_terms(_ids(batch_id, "contract", created=True))]
    if kind == "customers":
        people = Customer.objects.filter(pk__in=_ids(batch_id, "customer", created=True)).order_by("pk")
        return [{"name": person.name, "country": person.country, "city": person.city} for person in people]
    orders = Order.objects.filter(pk__in=_ids(batch_id, "order", created=True)).select_related("customer")
    return [
        {
            "order": order.external_id,
            "customer": order.customer.name if order.customer else "",
            "day": order.placed_on,
            "status": order.status,
            "net_cents": order.net_cents,
        }
        for order in orders.order_by("pk")
    ]


def _ids(batch_id: int, table: str, *, created: bool) -> list[int]:
    noted = ImportedRow.objects.filter(batch_id=batch_id, table=table, created=created)
    return list(noted.order_by("object_id").values_list("object_id", flat=True)[:SHOWN])


def changed(*, batch_id: int, kind: str) -> list[Example]:
    """The first rows that it changed: what they are called, and each field as it was and as it is."""
    if kind == "contracts":
        return _changed_contracts(batch_id)
    table = "customer" if kind == "customers" else "order"
    noted = ImportedRow.objects.filter(batch_id=batch_id, table=table, created=False).order_by("object_id")[:SHOWN]
    model: type[Model] = Customer if kind == "customers" else Order
    now = model._default_manager.in_bulk([row.object_id for row in noted])
    return [_difference(now[row.object_id], row.before or {}, kind) for row in noted if row.object_id in now]


def _difference(row: Model, before: Example, kind: str) -> Example:
    was: Example = before if kind == "customers" else before["row"]
    fields = CUSTOMER_FIELDS if kind == "customers" else ORDER_FIELDS
    now = model_to_dict(row, fields=fields)
    called = row.name if isinstance(row, Customer) else getattr(row, "external_id", "")
    differs = [(name, was[name], now[name]) for name in fields if str(was[name]) != str(now[name])]
    return {"name": called, "fields": [*differs, *_own(row, was)]}


def _last_terms(ids: list[int]) -> list[ContractTerm]:
    found = ContractTerm.objects.exclude(outcome="renewed").filter(contract__in=ids)
    return list(found.select_related("contract__customer", "contract__company").order_by("contract_id"))


def _contract(last: ContractTerm) -> Example:
    return {
        "contract": last.contract.external_id,
        "owner": str(last.contract.company or last.contract.customer),
        "plan": last.contract.plan,
        "ends_on": last.ends_on,
        "value_cents": last.value_cents,
    }


def _changed_contracts(batch_id: int) -> list[Example]:
    noted = ImportedRow.objects.filter(batch_id=batch_id, table="contract", created=False).order_by("object_id")[:SHOWN]
    now = {last.contract_id: last for last in _last_terms([row.object_id for row in noted])}
    return [_of_contract(now[row.object_id], row.before or {}) for row in noted if row.object_id in now]


def _of_contract(last: ContractTerm, before: Example) -> Example:
    """Its fields, and what is told of its last term: its last day and its outcome."""
    was = before["row"] | {name: before["terms"][-1][name] for name in TERM_FIELDS}
    becomes = {name: getattr(last.contract, name) for name in CONTRACT_FIELDS}
    becomes |= {name: getattr(last, name) for name in TERM_FIELDS}
    fields = [(name, was[name], new) for name, new in becomes.items() if str(was[name]) != str(new)]
    return {"name": last.contract.external_id, "fields": fields}


def _own(row: Model, was: Example) -> list[tuple[str, Any, Any]]:
    """Fields of the business's own, which only customers have."""
    now, before = getattr(row, "custom", {}), was.get("custom") or {}
    return [(name_of(key), before.get(key, ""), now[key]) for key in now if now[key] != before.get(key)]
