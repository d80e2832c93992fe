"""Alerts in words: what happened, what it means, what to do, and the one button. In the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import failures
from core.models import Alert

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Text:
    """`route` with `pk` is the button; it is a form where `posts`. `see` is the address that tells more."""

    title: str
    said: str
    advice: str
    button: str
    route: str
    pk: int | None = None
    posts: bool = False
    see: str

    @property
    def address(self) -> str:
        return reverse(self.route, args=[self.pk] if self.pk else [])


def text(alert: Alert) -> Text:
    return WRITERS[Alert.Kind(alert.kind)](alert.facts)


def day(value: str | None) -> str:
    return formats.date_format(date.fromisoformat(value), "DATE_FORMAT") if value else ""


def _why(facts: Facts) -> failures.Reason:
    unknown = failures.Reason("refused", _("The details are on its page."), _("Open it to see why."))
    return failures.REASONS.get(facts.get("why", ""), unknown)


def _night_failed(facts: Facts) -> Text:
    why, job = _why(facts), facts.get("job")
    return Text(
        title=_("The night of %(day)s failed") % {"day": day(facts["as_of"])},
        said=why.sentence + " " + _("Pages still show the figures of the last night that was published."),
        advice=str(why.advice),
        button=_("Run again") if job else _("Open"),
        route="desk:job_retry" if job else "desk:run_detail",
        pk=job or facts["run"],
        posts=bool(job),
        see=reverse("desk:run_detail", args=[facts["run"]]),
    )


def _night_late(facts: Facts) -> Text:
    shown, behind = facts.get("shown"), facts.get("behind", 0)
    if shown:
        said = ngettext(
            "Pages show the figures of %(day)s; they are %(count)d day behind.",
            "Pages show the figures of %(day)s; they are %(count)d days behind.",
            behind,
        ) % {"day": day(shown), "count": behind}
    else:
        said = _("No night has been published yet, so there are no scores to show.")
    return Text(
        title=_("The night of %(day)s is late") % {"day": day(facts["as_of"])},
        said=said,
        advice=_("See whether it is still at work. If it has not begun, start it by hand."),
        button=_("Run the night now"),
        route="desk:run_start",
        posts=True,
        see=reverse("desk:job_list"),
    )


def _facts_stale(facts: Facts) -> Text:
    age, usual = facts["age_days"], facts["usual_days"]
    last = ngettext("The last ones came %(count)d day ago", "The last ones came %(count)d days ago", age)
    pace = ngettext("usually some come every day", "usually some come every %(count)d days", usual)
    return Text(
        title=_("No new orders since %(day)s") % {"day": day(facts["last_on"])},
        said=_("%(last)s; %(pace)s.") % {"last": last % {"count": age}, "pace": pace % {"count": usual}},
        advice=_("Check the shop's export or the program that sends orders. Scores go on as if nobody had bought."),
        button=_("Open"),
        route="customers:import_list",
        see=reverse("customers:import_list"),
    )


def _job_dead(facts: Facts) -> Text:
    why = _why(facts)
    return Text(
        title=_("The job “%(name)s” failed") % {"name": facts["name"]},
        said=why.sentence + " " + _("It has been given up after several tries."),
        advice=str(why.advice),
        button=_("Run again"),
        route="desk:job_retry",
        pk=facts["job"],
        posts=True,
        see=reverse("desk:job_detail", args=[facts["job"]]),
    )


WRITERS = {
    Alert.Kind.NIGHT_FAILED: _night_failed,
    Alert.Kind.NIGHT_LATE: _night_late,
    Alert.Kind.FACTS_STALE: _facts_stale,
    Alert.Kind.JOB_DEAD: _job_dead,
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An alert with its words, for pages and mails."""

    pk: int
    kind: str
    opened_at: datetime
    closed_at: datetime | None
    is_read: bool
    text: Text


def shown(alert: Alert) -> Shown:
    return Shown(
        pk=alert.pk,
        kind=alert.kind,
        opened_at=alert.opened_at,
        closed_at=alert.closed_at,
        is_read=alert.is_read,
        text=text(alert),
    )
