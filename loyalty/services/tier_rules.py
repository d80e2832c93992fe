"""Changing the rules of tiers: they are written at once, and everybody is looked at again in the background.

Whoever has a tier keeps it, unless the person who changes the rules asks for the opposite: then it is looked at anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from core import business as settings_row
from core import engine, progress
from core.engine import Payload, Step
from core.models import Job, User
from loyalty.models import Tier, TierPlan
from loyalty.selectors import tier_values
from loyalty.selectors.tier_values import Scheme
from loyalty.services import tiers
from loyalty.services.tiers import Moved

STEP, BELL = "tier_rules", "tier_rules"
PLAN_FIELDS: Final = ("qualify_by", "window", "downgrade", "grace_days")
TIER_FIELDS: Final = ("name", "rank", "threshold", "hue", "multiplier", "early_days", "benefits")


class DoNotRise(Exception):
    """Two tiers begin at the same value, or have the same name."""


class ChangedMeanwhile(Exception):
    """The rules are not those that the person has seen."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A tier as somebody wants it; `id` is None for a new one."""

    id: int | None
    name: str
    threshold: int
    hue: str
    multiplier: Decimal
    early_days: int
    benefits: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """All the rules. Thresholds make the ranks, whatever the order; tiers that are not named are retired."""

    qualify_by: str
    window: str
    downgrade: str
    grace_days: int
    tiers: Sequence[Item]

    @property
    def ranked(self) -> list[Item]:
        return sorted(self.tiers, key=lambda item: item.threshold)

    @property
    def scheme(self) -> Scheme:
        return Scheme(
            qualify_by=self.qualify_by,
            window=self.window,  # type: ignore[arg-type]
            grace_days=self.grace_days,
            by_step=self.downgrade == TierPlan.Downgrade.STEP,
            ids=[item.id or 0 for item in self.ranked],
            thresholds=[item.threshold for item in self.ranked],
        )


@transaction.atomic
def save(*, proposal: Proposal, made_from: int, may_lower: bool, by: User, at: datetime) -> Job | None:
    """Write the rules; returns the job that looks at everybody again, if what decides has changed.

    `made_from` is the revision that the person has seen. Raises DoNotRise and ChangedMeanwhile.
    """
    _check(proposal)
    row = TierPlan.objects.select_for_update(no_key=True).get(pk=tier_values.plan().pk)
    if row.revision != made_from:
        raise ChangedMeanwhile
    before = tier_values.scheme()
    for name in PLAN_FIELDS:
        setattr(row, name, getattr(proposal, name))
    row.revision += 1
    row.save(update_fields=[*PLAN_FIELDS, "revision"])
    _write_tiers(proposal, at=at)
    if tier_values.scheme() == before and not may_lower:
        return None
    return engine.enqueue(step=STEP, payload={"may_lower": may_lower, "by": by.pk}, at=at, bell=BELL)


def _check(proposal: Proposal) -> None:
    for values in ([item.threshold for item in proposal.tiers], [item.name.casefold() for item in proposal.tiers]):
        if len(set(values)) < len(values):
            raise DoNotRise


def _write_tiers(proposal: Proposal, *, at: datetime) -> None:
    known = {tier.pk: tier for tier in tier_values.in_use()}
    named = {item.id for item in proposal.tiers}
    Tier.objects.filter(pk__in=known.keys() - named).update(retired_at=at)
    # Names may be handed around among the tiers: nobody's is in the way while they are written.
    for tier in known.values():
        Tier.objects.filter(pk=tier.pk, retired_at=None).update(name=f"{tier.pk}:")
    for rank, item in enumerate(proposal.ranked, start=1):
        tier = known.get(item.id or 0) or Tier()
        for name in TIER_FIELDS:
            setattr(tier, name, rank if name == "rank" else getattr(item, name))
        tier.save()


def apply(*, may_lower: bool, at: datetime, tell: Any = lambda done, moved: None) -> Moved:
    """Look at everybody anew. `tell` hears how many customers are done."""
    business, moved = settings_row.current(), Moved()
    for told in tiers.ranges():
        moved += tiers.write(
            asked=tier_values.RANGE,
            decide=tier_values.BY_RULE,
            business=business,
            at=at,
            may_lower=may_lower,
            **told,
        )
        tell(told["high"], moved)
    return moved


def _work(job: Job) -> Payload:
    with progress.watching(job) as watch:
        moved = apply(
            may_lower=job.payload["may_lower"],
            at=timezone.now(),
            tell=lambda done, moved: watch.tell(done=done, risen=moved.risen, fallen=moved.fallen),
        )
    return {"rows": moved.written, "risen": moved.risen, "fallen": moved.fallen}


STEPS: Final = {STEP: Step(STEP, _work)}


def at_work() -> Job | None:
    """The job that has not looked at everybody yet."""
    waiting = (Job.State.READY, Job.State.CLAIMED)
    return Job.objects.filter(step=STEP, state__in=waiting).order_by("-pk").first()
