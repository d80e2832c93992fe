"""Who changed a record when: people and programs by their edits, files by the batches that name the row."""

from typing import Final

from django.db import models
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core import edits
from core.models import Business
from customers.models import Company, Contract, Customer, ImportBatch, ImportedRow, Merge, Order, Product
from customers.selectors import merged

# What a page may ask the history of: the model, and its name in the rows of an import.
RECORDS: Final[dict[str, type[models.Model]]] = {
    "customer": Customer,
    "company": Company,
    "product": Product,
    "order": Order,
    "contract": Contract,
}
# What a merge moved, by the names that it counts under.
MOVED: Final = {
    "orders": gettext_noop("Orders"),
    "contracts": gettext_noop("Contracts"),
    "emails": gettext_noop("E-mails"),
    "phones": gettext_noop("Phones"),
    "points": gettext_noop("Points"),
    "pending_points": gettext_noop("Pending points"),
    "redemptions": gettext_noop("Redemptions"),
    "codes": gettext_noop("Codes"),
}
SHOWN: Final = 50
BATCHES: Final = 500


def of(kind: str, pk: int, *, business: Business) -> list[edits.Entry]:
    """The latest entries of a record, the newest first."""
    found = edits.of(RECORDS[kind], pk).select_related("user")[: edits.PAGE_EDITS]
    told = [*edits.entries(found, business=business), *_imports(kind, pk), *(_merges(pk) if kind == "customer" else ())]
    return sorted(told, key=lambda entry: entry.at, reverse=True)[:SHOWN]


def _merges(pk: int) -> list[edits.Entry]:
    """On either side; those on the other are told who stands for them."""
    return [
        edits.Entry(
            at=merge.at,
            who=str(merge.by) if merge.by else _("Somebody"),
            program=False,
            verb=_("merged"),
            record="",
            kind="",
            url="",
            steps=[
                edits.Step(
                    label=_("Customer"),
                    before=_("%(customer)s (number %(number)s)") % {"customer": merge.other, "number": merge.other_id},
                    after=_("%(customer)s (number %(number)s)") % {"customer": merge.into, "number": merge.into_id},
                ),
                *_moved(merge),
            ],
        )
        for merge in merged.of(pk)
    ]


def _moved(merge: Merge) -> list[edits.Step]:
    """What came over, as far as it is any."""
    return [
        edits.Step(label=_(label), before="", after=formats.number_format(merge.moved[name], 0, force_grouping=True))
        for name, label in MOVED.items()
        if merge.moved.get(name)
    ]


def _imports(kind: str, pk: int) -> list[edits.Entry]:
    """By the index of each batch: the rows have none of their own."""
    batches = list(ImportBatch.objects.order_by("-pk").values_list("pk", flat=True)[:BATCHES])
    rows = ImportedRow.objects.filter(batch__in=batches, table=kind, object_id=pk).select_related("batch")
    return [
        edits.Entry(
            at=row.batch.started_at,
            who=_("Import %(number)s from %(source)s") % {"number": row.batch_id, "source": row.batch.source},
            program=True,
            verb=_("added") if row.created else _("changed"),
            record="",
            kind="",
            url="",
            who_url=reverse("customers:import_batch", args=[row.batch_id]),
        )
        for row in rows.order_by("-batch_id")
    ]
