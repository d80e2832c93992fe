"""Which models a shop uses and how its churn risk is calibrated: found by looking back, once a month, and kept in runs.

A night looks back from the end of the month before, so that every night of a month says the same, in whatever order
nights are passed. What an earlier run found is taken over while the facts until then are the same.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from django.db.models import Sum

from analytics import verdicts
from analytics.clv import choice, churn, churn_origins, rolling
from analytics.clv.choice import Choice
from analytics.clv.fitted import Levels
from analytics.clv.order_log import OrderLog
from analytics.clv.report_card import Card
from analytics.clv.rolling import LastMonth
from analytics.clv.shop import Plan
from analytics.models import DayTotals
from analytics.services import customer_cells, order_logs
from core.models import Run

SAMPLE: Final = 100_000  # customers


def look_back(*, run: Run) -> dict[str, Any]:
    """Keep the choice, the calibration and their report card in the run; returns whether they had to be found anew."""
    key = look_back_key(run=run, until=anchor(run.as_of))
    known = _kept(run, key)
    run.model = run.model | {"look_back": known or {"key": key, **_find(run)}}
    run.stats = run.stats | {"grades": _grades(run)}
    run.save(update_fields=["model", "stats"])
    return {"rows": 0 if known else 1}


def plan(run: Run) -> Plan:
    """What the run's models are to be."""
    chosen, learned = choice_of(run), churn_of(run)
    first = int(np.datetime64(run.as_of + timedelta(days=1), "D").astype(np.int64))
    return Plan(
        purchase=chosen.purchase,
        spend=chosen.spend,
        levels=Levels(orders=chosen.factor(first, 365), spend=chosen.spend_level.factor),
        past=chosen.past(),
        calibration=None if learned.calibration.reason else learned.calibration,
    )


def choice_of(run: Run) -> Choice:
    return Choice.from_dict(run.model["look_back"]["choice"])


def churn_of(run: Run) -> churn.Learned:
    return churn.Learned.from_dict(run.model["look_back"]["churn"])


def cards_of(run: Run) -> list[Card]:
    """What the models would have said on past days; none for a run from before they were kept."""
    return [rolling.card_from(card) for card in run.model.get("look_back", {}).get("cards", [])]


def last_month_of(run: Run) -> LastMonth | None:
    """What the models of a month ago would have said on those days; None for a run from before that was kept."""
    found = run.model.get("look_back", {}).get("last_month")
    return LastMonth.from_dict(found) if found else None


def one_in(run: Run) -> int:
    """Of how many customers one was looked at: 1 for all."""
    return int(run.model.get("look_back", {}).get("one_in", 1))


def _grades(run: Run) -> dict[str, str]:
    """The verdicts beside the totals, where other pages find them without reading the cards."""
    return {one.slug: one.grade.value for one in verdicts.judge(cards_of(run), churn_of(run))}


def anchor(as_of: date) -> date:
    """The last end of a month on or before the business date."""
    return as_of if (as_of + timedelta(days=1)).day == 1 else as_of.replace(day=1) - timedelta(days=1)


def look_back_key(*, run: Run, until: date) -> dict[str, Any]:
    """What the findings depend on; facts by the sums of the days until then, with fingerprints of who did what."""
    names = {"orders": "orders", "value": "value_cents", "fingerprint": "fingerprint"}
    facts = DayTotals.objects.filter(day__lte=until).aggregate(**{name: Sum(field) for name, field in names.items()})
    settings = {name: run.settings[name] for name in ("engine", "churn_horizon_days")}
    known = {name: int(found) for name, found in facts.items() if found is not None}
    return {"until": until.isoformat(), **settings, **known}


def _kept(run: Run, key: dict[str, Any]) -> dict[str, Any] | None:
    """What an earlier run found with the same key."""
    found = Run.objects.exclude(pk=run.pk).filter(model__look_back__key=key, model__look_back__has_key="last_month")
    known = found.order_by("-pk").first()
    return known.model["look_back"] if known else None


def _find(run: Run) -> dict[str, Any]:
    """Look back on a sample of the customers that stays the same from month to month."""
    until, currency = anchor(run.as_of), run.settings["currency"]
    log, ids = order_logs.read(as_of=until, currency=currency, sample=SAMPLE)
    log = replace(log, cell=customer_cells.of_log(ids, as_of=until))
    discounts = order_logs.read_discounts(as_of=until, currency=currency, sample=SAMPLE, ids=ids)
    chosen = choice.decide(log)
    learned = churn_origins.learn(
        log,
        model=chosen.purchase,
        horizon_days=int(run.settings["churn_horizon_days"]),
        discounted=lambda day: discounts.share(log, day),
    )
    cards = rolling.cards(log, chosen)
    return {
        "choice": chosen.as_dict(),
        "churn": learned.as_dict(),
        "cards": [card.as_dict() for card in cards],
        "last_month": rolling.last_month(log, chosen, cards, _chosen_a_month_ago(run, log)).as_dict(),
        "one_in": order_logs.one_in(SAMPLE),
    }


def _chosen_a_month_ago(run: Run, log: OrderLog) -> Choice:
    """As a run has it that knew the same facts, else found from what was known then."""
    until = anchor(run.as_of).replace(day=1) - timedelta(days=1)
    if kept := _kept(run, look_back_key(run=run, until=until)):
        return Choice.from_dict(kept["choice"])
    return choice.decide(log.until(int(np.datetime64(until, "D").astype(np.int64))))
