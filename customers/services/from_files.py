"""Imports of files: planned first, so that a file that cannot be used stops everything before anything is written."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from core import business as settings_row
from core import first_run, money
from core.models import Business
from customers.importing import extras, presets, reading
from customers.importing.presets import Preset, R
from customers.importing.problems import FileProblem, Reject, sentence
from customers.importing.reading import Habits, Plan
from customers.models import Contract
from customers.models import Order as Purchase
from customers.services import contract_files, custom, imports, people
from customers.services.imports import Progress, Target
from customers.services.reports import Rejected, Report

Clock = Callable[[], datetime]
EVERY_ROWS: Final = 5_000
CURRENCY: Final = re.compile("[A-Z]{3}")
TAKEN: Final = "the business keeps {} from now on: the file says so, and nobody had set the business up"
NO_CONSENT: Final = "the column “{}” is left out: a file cannot consent to marketing for the people in it"


@dataclass(kw_only=True)
class Listener:
    """Who watches: refused rows (with the header of their file), remarks on rows, progress, waiting for the lock, each
    row that can be used, and what was written before a dry run takes it back.
    """

    refuse: Callable[[Reject, Sequence[str]], Any] = lambda reject, header: None
    note: Callable[[str], Any] = lambda remark: None
    progress: Progress = imports.silent
    wait: Callable[[], Any] = lambda: None
    row: Callable[[Any], Any] = lambda row: None
    written: Callable[[Target], Any] = lambda target: None


@dataclass(kw_only=True)
class Done:
    """What an import of files did. `batch_id` is None after a dry run: there is nothing to take back."""

    report: Report = field(default_factory=Report)
    batch_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to import, from where and how."""

    paths: Sequence[Path]
    source: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    day_first: bool | None = None
    dry_run: bool = False
    sheet: str = ""
    only_mapped: bool = False  # take no column but those in the mapping


def plan(*, order: Order, preset: Preset[R]) -> list[Plan[R]]:
    """Look into each file. Raises FileProblem for the first that cannot be used.

    A business that nobody has set up yet takes the one currency that its first files name.
    """
    business = settings_row.current()
    plans = _planned(order, preset, business, currency=business.currency)
    named = "" if _is_set_up(business) else _currency_of(plans)
    return _planned(order, preset, business, currency=named) if named else plans


def _planned(order: Order, preset: Preset[R], business: Business, *, currency: str) -> list[Plan[R]]:
    habits = Habits(
        zone=business.zone,
        currency=currency,
        exponent=money.exponent(currency),
        day_first=order.day_first,
        prices_include_tax=business.prices_include_tax,
    )
    how: dict[str, Any] = {"mapping": order.mapping, "sheet": order.sheet, "only_mapped": order.only_mapped}
    return [reading.plan(path, preset=preset, habits=habits, **how) for path in order.paths]


def _is_set_up(row: Business) -> bool:
    """Whether somebody has looked at the settings, or amounts are kept in this currency already."""
    is_default = row.currency == Business._meta.get_field("currency").default
    return not is_default or not first_run.is_open() or Purchase.objects.exists() or Contract.objects.exists()


def _currency_of(plans: Sequence[Plan[Any]]) -> str:
    """The one that all first rows name; "" where there is none."""
    named = {value.upper() for planned in plans for value in reading.values(planned, "currency") if value}
    only = named.pop() if len(named) == 1 else ""
    return only if CURRENCY.fullmatch(only) else ""


def import_orders(*, order: Order, plans: Sequence[Plan[Any]], clock: Clock, listener: Listener) -> Done:
    """Import the planned files, one after the other. Raises FileProblem when one breaks off while it is read: what was
    imported from the files before it stays.
    """
    with _batch("orders", order, plans, clock, listener) as (target, done):
        for planned in plans:
            rows = _rows(planned, done.report, listener)
            refused = imports.load_orders(rows=rows, target=target, report=done.report, progress=listener.progress)
            _refuse(planned, refused, listener)
    return done


def import_customers(*, order: Order, plans: Sequence[Plan[Any]], clock: Clock, listener: Listener) -> Done:
    """The same for people."""
    with _batch("customers", order, plans, clock, listener) as (target, done):
        for planned in plans:
            rows = _rows(planned, done.report, listener)
            people.load(rows=rows, params=target.params, report=done.report, progress=listener.progress)
    return done


def import_contracts(*, order: Order, plans: Sequence[Plan[Any]], clock: Clock, listener: Listener) -> Done:
    """The same for contracts."""
    with _batch("contracts", order, plans, clock, listener) as (target, done):
        for planned in plans:
            rows = _rows(planned, done.report, listener)
            refused = contract_files.load(rows=rows, target=target, report=done.report, progress=listener.progress)
            _refuse(planned, refused, listener)
    return done


WORK: Final[Mapping[str, Callable[..., Done]]] = {
    "orders": import_orders,
    "customers": import_customers,
    "contracts": import_contracts,
}


def _refuse(planned: Plan[Any], refused: Sequence[Rejected], listener: Listener) -> None:
    """Rows that were refused after they were read, with their cells."""
    cells = reading.cells_of(planned, {row.line for row in refused}) if refused else {}
    for row in refused:
        listener.refuse(Reject(planned.file, *row, cells[row.line]), planned.header)


@contextmanager
def _batch(
    kind: str, order: Order, plans: Sequence[Plan[Any]], clock: Clock, listener: Listener
) -> Iterator[tuple[Target, Done]]:
    done = Done()
    with imports.one_at_a_time(listener.wait), _perhaps_rolled_back(order.dry_run):
        if _takes(currency := plans[0].habits.currency):
            listener.note(TAKEN.format(currency))
        target = imports.begin(
            kind=kind,
            source=order.source,
            preset=plans[0].preset.name,
            files=[planned.file for planned in plans],
            at=clock(),
        )
        try:
            yield target, done
        except FileProblem as problem:
            imports.fail(target, error=str(problem), at=clock())
            raise
        imports.finish(target, report=done.report, at=clock())
        listener.written(target)
        done.batch_id = None if order.dry_run else target.batch.pk


@transaction.atomic
def _takes(currency: str) -> bool:
    """Whether a business that nobody has set up changes to the currency of its first files."""
    row = settings_row.locked()
    if row.currency == currency or _is_set_up(row):
        return False
    settings_row.change(row=row, settings={"currency": currency})
    return True


@contextmanager
def _perhaps_rolled_back(dry_run: bool) -> Iterator[None]:
    if not dry_run:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _rows(planned: Plan[R], report: Report, listener: Listener) -> Iterator[R]:
    def count() -> None:
        report.read += 1
        if report.read % EVERY_ROWS == 0:
            listener.progress("read", report.read)

    def refuse(reject: Reject) -> None:
        report.rejected += 1
        listener.refuse(reject, planned.header)

    def note(line: int, field: str, value: str, remark: str) -> None:
        listener.note(f"{planned.file}, {sentence(line, field, value, remark)}")

    for column in planned.left_out:
        listener.note(f"{planned.file}: {NO_CONSENT.format(column)}")
    for row in reading.rows(planned, refuse=refuse, note=note, count=count):
        listener.row(row)
        yield row


def preset_named(name: str, *, kind: str = "orders") -> Preset[Any]:
    """The preset, with the business's own fields where it reads people. Raises FileProblem with the names there are."""
    known: Mapping[str, Preset[Any]] = presets.KINDS[kind]
    if name not in known:
        raise FileProblem(f"There is no preset “{name}”. The presets are: {', '.join(known)}.")
    return extras.reading(known[name], custom.extras()) if kind == "customers" else known[name]
