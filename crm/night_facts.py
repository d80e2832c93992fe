"""What a night was made from, in rows of a name and a value: counts of data, what it read, settings, chosen models.

Runs from earlier versions have less; what a run does not tell is left out.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from analytics.selectors import worth
from core.models import Business, Run
from core.templatetags import ui
from crm import learned


def rows(run: Run, *, business: Business) -> list[tuple[str, str]]:
    return [*_counts(run, business), *_read(run), *_settings(run), *_choice(run)]


def _counts(run: Run, business: Business) -> Iterator[tuple[str, str]]:
    """The data as the night knew it; nothing while it has not been added up."""
    whole = run.stats.get("all")
    if whole is None:
        return
    yield _("Customers scored"), ui.grouped(whole["customers"])
    if "orders" in whole:
        yield _("Their orders"), ui.grouped(whole["orders"])
    yield _("Order value to date"), ui.money_text(whole["value_cents"], business)
    yield _("Margin to date"), ui.money_text(whole["historic_cents"], business)
    yield from _profit(run, business)
    yield _("Predicted value, 12 months"), ui.money_text(whole["clv_cents"], business)


def _profit(run: Run, business: Business) -> Iterator[tuple[str, str]]:
    if (found := worth.of_night(run)) is None:
        return
    yield _("Spent on winning them"), ui.money_text(found.acquisition_cents, business)
    yield _("Spent on serving and keeping them"), ui.money_text(found.cost_cents, business)
    yield _("Profit to date"), ui.money_text(found.profit_cents, business)


def _read(run: Run) -> Iterator[tuple[str, str]]:
    if run.facts_xid:
        yield _("Facts of transactions before"), ui.grouped(run.facts_xid)
    if engine := run.settings.get("engine"):
        yield _("Version of the engine"), engine


def _settings(run: Run) -> Iterator[tuple[str, str]]:
    rates = {"margin_rate": _("Usual margin rate"), "discount_rate": _("Discount rate")}
    if zone := run.settings.get("time_zone"):
        yield _("Time zone"), zone
    yield from (
        (label, ui.percent(float(run.settings[name]), 1)) for name, label in rates.items() if name in run.settings
    )


def _choice(run: Run) -> Iterator[tuple[str, str]]:
    found: dict[str, Any] = run.model.get("look_back", {})
    if "choice" not in found:
        return
    until = date.fromisoformat(found["key"]["until"])
    yield _("Looked back from"), formats.date_format(until, "DATE_FORMAT")
    models = [found["choice"]["purchase"], found["choice"]["spend"]]
    yield _("Chosen models"), " · ".join(learned.called(name) for name in models)
