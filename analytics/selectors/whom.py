"""Whom a page speaks of: everybody, or one segment of a scheme as the last night has drawn it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from analytics import schemes
from analytics.schemes import Scheme
from customers.models import Category, Segment, Tagging
from customers.models.tag import NEEDS

MOST_NAMED: Final = 200  # categories that a select offers


@dataclass(frozen=True, kw_only=True, slots=True)
class Whom:
    """`where` leaves the rows of analytics_score that it speaks of; it comes from the schemes, never from people."""

    scheme: str = ""
    slug: str = ""
    label: str = ""
    where: str = "true"

    @property
    def is_everybody(self) -> bool:
        return not self.scheme

    @property
    def value(self) -> str:
        """What stands in an address."""
        return f"{self.scheme}:{self.slug}" if self.scheme else ""


def everybody() -> Whom:
    return Whom(label=_("All customers"))


def find(scheme: str, slug: str) -> Whom | None:
    """None for a segment that is not there, or no more. At most one query."""
    if not scheme and not slug:
        return everybody()
    found = next((one for one in schemes.ALL if one.slug == scheme), None)
    if found is None:
        return None
    if found is schemes.NEEDS:
        tag = Segment.objects.filter(scheme=NEEDS, slug=slug.replace("\0", " ")).first()  # a text cannot hold it
        return _tagged(tag) if tag else None
    if found is schemes.PREFERENCE:
        category = Category.objects.filter(pk=_number(slug)).first()
        return _coded(found, category.pk, slug, category.name) if category else None
    kind = next((kind for kind in found.kinds if kind.slug == slug), None)
    return _coded(found, kind.code, kind.slug, _(kind.label)) if kind else None


def read(value: str) -> Whom | None:
    """As it stands in an address."""
    scheme, _colon, slug = value.partition(":")
    return find(scheme, slug)


def choices() -> list[tuple[str, list[Whom]]]:
    """The segments of each scheme under its name. Two queries."""
    categories = Category.objects.order_by("name", "pk")[:MOST_NAMED]
    tags = Segment.objects.filter(scheme=NEEDS).order_by("name", "pk")
    named: dict[str, Sequence[Whom]] = {
        schemes.PREFERENCE.slug: [_coded(schemes.PREFERENCE, one.pk, f"c{one.pk}", one.name) for one in categories],
        schemes.NEEDS.slug: [_tagged(tag) for tag in tags],
    }
    found = [(_(scheme.label), [*_fixed(scheme), *named.get(scheme.slug, ())]) for scheme in schemes.ALL]
    return [(label, own) for label, own in found if own]


def _fixed(scheme: Scheme) -> list[Whom]:
    return [_coded(scheme, kind.code, kind.slug, _(kind.label)) for kind in scheme.kinds]


def _coded(scheme: Scheme, code: int, slug: str, label: str) -> Whom:
    return Whom(scheme=scheme.slug, slug=slug, label=label, where=f"{scheme.column} = {int(code)}")


def _tagged(tag: Segment) -> Whom:
    tagged = f"SELECT customer_id FROM {Tagging._meta.db_table} WHERE removed_at IS NULL AND segment_id = {int(tag.pk)}"  # noqa: S608
    return Whom(scheme=NEEDS, slug=tag.slug, label=tag.name, where=f"customer_id IN ({tagged})")


def _number(slug: str) -> int:
    """A category's id; 0 for what is none."""
    digits = slug.removeprefix("c")
    return int(digits) if slug != digits and digits.isascii() and digits.isdecimal() and len(digits) < 19 else 0
