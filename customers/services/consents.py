"""Writing down what customers say about messages: what they agreed to, in which words, when and from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from customers.models import Consent, Customer
from customers.selectors import consents
from customers.services import people_lock


@dataclass(frozen=True, kw_only=True)
class Witness:
    """Where and by whom it was said."""

    source: str
    at: datetime
    by: int | None = None
    ip: str | None = None


@transaction.atomic
def say(*, customer_id: int, told: Mapping[str, bool], wording: str, witness: Witness) -> list[Consent]:
    """Keep what differs from the last word on each channel; a no on a channel of which nothing was said is no news."""
    customer_id = people_lock.writing_about(customer_id)
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    before = consents.given(customer_id)
    return [
        Consent.objects.create(
            customer_id=customer_id,
            channel=channel,
            is_given=is_given,
            wording=wording,
            source=witness.source,
            by_id=witness.by,
            ip=witness.ip,
            at=witness.at,
        )
        for channel, is_given in told.items()
        if is_given != (channel in before)
    ]


def join(*, into: int, other: int, witness: Witness) -> list[Consent]:
    """What `other` said holds for `into`, who is the same person: a no beats a yes, and a yes fills a silence.

    The rows of `other` stay, because they prove what was said; new rows carry on what counts of them.
    """
    own = consents.newest(into)
    return [
        Consent.objects.create(
            customer_id=into,
            channel=channel,
            is_given=said.is_given,
            wording=said.wording,
            source=witness.source,
            by_id=witness.by,
            at=witness.at,
        )
        for channel, said in consents.newest(other).items()
        if channel not in own or (own[channel].is_given and not said.is_given)
    ]


@transaction.atomic
def pause(*, customer_id: int, until: date | None) -> None:
    """No offers and news up to and including the day, whatever was agreed to; None ends a pause."""
    customer_id = people_lock.writing_about(customer_id)
    Customer.objects.filter(pk=customer_id).update(messages_paused_until=until)
