"""Giving tags to customers and taking them away. A tag is made by the first use of its name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.text import slugify

from core.models import User
from customers.models import Customer, Segment, Tagging
from customers.models.tag import NEEDS
from customers.services import people_lock

LONGEST: Final = 40
MOST_TAGS: Final = 200  # of a business: more are no segments any more
BATCH: Final = 5000


class BadTag(ValueError):
    """There is no such name for a tag: empty, too long, or without a letter or digit."""


class TooManyTags(Exception):
    """The business has as many tags as it may have."""


def find_or_make(*, name: str) -> Segment:
    """The tag that people mean by `name`: capitals and accents make no difference. Raises BadTag, TooManyTags."""
    name = " ".join(name.split())
    slug = slugify(name) or "".join(f"{ord(letter):x}" for letter in name if letter.isalnum())
    if not slug or not is_name(name):
        raise BadTag(name)
    found = Segment.objects.filter(scheme=NEEDS, slug=slug[:60]).first()
    if found is not None:
        return found
    if Segment.objects.filter(scheme=NEEDS).count() >= MOST_TAGS:
        raise TooManyTags
    return Segment.objects.get_or_create(scheme=NEEDS, slug=slug[:60], defaults={"name": name})[0]


def is_name(name: str) -> bool:
    """Whether a tag can be called so; that it has a letter or digit is its slug's matter."""
    return 0 < len(name) <= LONGEST and name.isprintable()


@transaction.atomic
def add(*, segment: Segment, customer_ids: Iterable[int], by: User | None, at: datetime) -> int:
    """Give the tag to those who lack it; returns how many got it."""
    wanted = set(people_lock.writing_about_all(customer_ids).values())
    wanted -= set(
        Tagging.objects.filter(segment=segment, removed_at__isnull=True, customer_id__in=wanted).values_list(
            "customer_id", flat=True
        )
    )
    existing = Customer.objects.filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True)
    rows = [Tagging(customer_id=pk, segment=segment, added_at=at, added_by=by) for pk in existing]
    Tagging.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    return len(rows)


@transaction.atomic
def remove(*, segment_id: int, customer_ids: Iterable[int], at: datetime) -> int:
    """Take the tag away; returns from how many."""
    wanted = set(people_lock.writing_about_all(customer_ids).values())
    rows = Tagging.objects.filter(segment_id=segment_id, removed_at__isnull=True, customer_id__in=wanted)
    return rows.update(removed_at=at)


@transaction.atomic
def replace(*, customer_id: int, names: Iterable[str], by: User | None, at: datetime) -> bool:
    """Give the customer these tags and no other; says whether that changed anything. Raises BadTag, TooManyTags."""
    customer_id = people_lock.writing_about(customer_id)
    wanted = {segment.pk: segment for segment in (find_or_make(name=name) for name in names)}
    own = set(Tagging.objects.filter(customer_id=customer_id, removed_at=None).values_list("segment_id", flat=True))
    for pk in own - wanted.keys():
        remove(segment_id=pk, customer_ids=[customer_id], at=at)
    for pk in wanted.keys() - own:
        add(segment=wanted[pk], customer_ids=[customer_id], by=by, at=at)
    return own != wanted.keys()


@transaction.atomic
def rename(*, segment_id: int, name: str) -> Segment:
    """Another name for a tag; its address stays. Raises BadTag."""
    name = " ".join(name.split())
    if not is_name(name):
        raise BadTag(name)
    segment = Segment.objects.select_for_update(no_key=True).get(pk=segment_id, scheme=NEEDS)
    segment.name = name
    segment.save(update_fields=["name"])
    return segment
