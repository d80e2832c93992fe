"""What a night says at its end, in lines of text: what was published, with which model and parameters."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from core import money
from core.models import Run

# Key in the run's parameters, name, symbols and their digits as the papers print them.
MODELS: Final = (
    ("bgnbd", "BG/NBD", ("r", "alpha", "a", "b"), 3),
    ("mbgnbd", "MBG/NBD", ("r", "alpha", "a", "b"), 3),
    ("gamma_gamma", "Gamma-Gamma", ("p", "q", "gamma"), 2),
)


def lines(run: Run) -> Iterator[str]:
    everybody, currency = run.stats["all"], run.settings["currency"]
    yield f"Published as of {run.as_of}{', current' if run.is_current else ', kept beside a later night'}."
    yield f"Customers with an order: {everybody['customers']:,}"
    yield f"Margin expected in 12 months: {money.text(everybody['clv_cents'], currency)}"
    yield from _models(run.model["fitted"])


def _models(fitted: Mapping[str, Any]) -> Iterator[str]:
    yield f"Model for the scores: {fitted['model']}" + (f" ({fitted['reason']})" if fitted["reason"] else "")
    for key, name, symbols, places in MODELS:
        if (found := fitted[key]) is not None:
            figures = "  ".join(f"{symbol} = {found[symbol]:.{places}f}" for symbol in symbols)
            yield (
                f"  {name:<12} {figures}  log-likelihood {found['log_likelihood']:.2f}"
                f"  customers {found['customers']:,}"
            )
    yield f"  Unit of time: {fitted['unit']}"
