"""What a night says at its end, in lines of text: what was published, with which model and parameters."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Sum

from analytics.clv import fitted
from analytics.models import DayTotals
from core import feed, money
from core.models import Run

DIGITS: Final = {"Gamma-Gamma": 2}  # as the paper prints its parameters; the others have three


def lines(run: Run) -> Iterator[str]:
    yield f"Published as of {run.as_of}{', current' if run.is_current else ', kept beside a later night'}."
    if run.stats["all"]["customers"]:
        yield from _totals(run)
        yield from _models(run.model["fitted"])
    else:
        yield _why_nobody(run)
    yield from _left_out(run)


def _totals(run: Run) -> Iterator[str]:
    everybody, currency = run.stats["all"], run.settings["currency"]
    yield f"Customers with an order: {everybody['customers']:,}"
    if refunded := run.stats["segments"].get("0"):
        yield f"  Every order came back, so nothing is predicted: {refunded['customers']:,}"
    yield f"Margin expected in 12 months: {money.text(everybody['clv_cents'], currency)}"


def _why_nobody(run: Run) -> str:
    if _orders(day__lte=run.as_of):
        return f"Nobody to score: all orders up to {run.as_of} are guests' orders."
    return f"Nobody to score: there is no paid order up to {run.as_of}."


def _left_out(run: Run) -> Iterator[str]:
    if later := _orders(day__gt=run.as_of):
        yield f"Orders after {run.as_of}, which count from their own day on: {later:,}"
    if feed.newest() >= run.facts_xid:
        yield "Some orders were written while this night was at work; the next night reads them."


def _orders(**days: Any) -> int:
    return int(DayTotals.objects.filter(**days).aggregate(all=Sum("orders"))["all"] or 0)


def _models(learned: Mapping[str, Any]) -> Iterator[str]:
    yield f"Model for the scores: {learned['model']}" + (f" ({learned['reason']})" if learned["reason"] else "")
    if groups := len(learned.get("cells", {}).get("params", ())):
        yield f"Groups of customers by channel, category and kind with parameters of their own: {groups}"
    yield f"Model for the spend: {learned['spend']['model']}"
    for name, found in (learned["fits"] | {"Gamma-Gamma": learned["gamma_gamma"]}).items():
        if found:
            yield _model(name, found)
    for name, found in learned["corrected"].items():
        if not found["reason"]:
            yield _corrected(name, found)
    yield f"  Unit of time: {learned['unit']}"


def _corrected(name: str, found: Mapping[str, Any]) -> str:
    """Parameters of the continuous process behind the order days, with their standard errors."""
    errors = found["standard_errors"]
    figures = (f"{symbol} = {found[symbol]:.3f} ±{100 * errors[symbol]:.1f} %" for symbol in fitted.symbols(name))
    return f"  {name} corrected for the grain of a day: {'  '.join(figures)}"


def _model(name: str, found: Mapping[str, Any]) -> str:
    figures = "  ".join(f"{symbol} = {found[symbol]:.{DIGITS.get(name, 3)}f}" for symbol in fitted.symbols(name))
    return f"  {name:<12} {figures}  log-likelihood {found['log_likelihood']:.2f}  customers {found['customers']:,}"
