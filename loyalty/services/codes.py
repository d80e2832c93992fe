"""Making codes: one that somebody chose, or a hundred thousand that nobody can guess, by a worker."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import engine, progress
from core.engine import Payload, Refused, Step
from core.models import Job, User
from customers.models import Customer
from customers.services import people_lock
from loyalty import codes
from loyalty.models import Code, Offer, Use

MAKE, BELL = "make_codes", "bulk_codes"
MOST: Final = 1_000_000
BATCH: Final = 5_000
SHORTEST_WORD: Final = 4
DRAWS: Final = 20  # 80 random bits hardly ever meet twice: who needs more draws has something else wrong

NEW: Final = "CREATE TEMP TABLE new_codes (code text, holder_id bigint) ON COMMIT DROP"
TAKE: Final = """
INSERT INTO loyalty_code (offer_id, code, label, holder_id, max_uses, used, created_at)
SELECT %(offer)s, code, '', holder_id, %(max_uses)s, 0, %(at)s FROM new_codes
ON CONFLICT (code) DO NOTHING RETURNING code
"""


class BadCode(ValueError):
    """The message is for people."""


def choose(*, offer: Offer, text: str, holder: Customer | None = None, max_uses: int | None = None) -> Code:
    """A code that somebody chose, such as SUMMER10. Raises BadCode."""
    kept = codes.normalise(text)
    if len(kept) < SHORTEST_WORD:
        raise BadCode(_("Write %(least)s to 32 letters or digits.") % {"least": SHORTEST_WORD})
    label = "".join(text.split()).upper() if len(kept) != codes.LENGTH else ""
    try:
        with transaction.atomic():
            holder_id = people_lock.writing_about(holder.pk) if holder else None
            return Code.objects.create(offer=offer, code=kept, label=label, holder_id=holder_id, max_uses=max_uses)
    except IntegrityError:
        raise BadCode(_("There is a code that reads the same. Choose another.")) from None


def draw(*, offer: Offer, holder: Customer | None = None, max_uses: int | None = 1) -> Code:
    """One code that nobody can guess."""
    return choose(offer=offer, text=codes.new(), holder=holder, max_uses=max_uses)


def start(*, offer: Offer, count: int, segment_id: int | None, max_uses: int | None, by: User, at: datetime) -> Job:
    """Have a worker make `count` codes, or with a segment one for each of its customers."""
    total = min(count, MOST) if segment_id is None else members(segment_id).count()
    payload = {"offer": offer.pk, "count": total, "segment": segment_id, "max_uses": max_uses, "by": by.pk}
    return engine.enqueue(step=MAKE, payload=payload, total=total, at=at, bell=BELL)


def members(segment_id: int) -> Any:
    """Who is in a segment or has it as a tag, and is not archived."""
    inside = Q(memberships__segment_id=segment_id)
    tagged = Q(taggings__segment_id=segment_id, taggings__removed_at__isnull=True)
    return Customer.objects.filter(inside | tagged, archived_at__isnull=True).distinct()


def block(*, code_id: int, at: datetime | None) -> None:
    """Block a code, or with None let it work again."""
    Code.objects.filter(pk=code_id).update(blocked_at=at)


@transaction.atomic
def move(*, into: int, other: int) -> None:
    """Two customers are one: codes with her name, and what she used."""
    Code.objects.filter(holder_id=other).update(holder_id=into)
    Use.objects.filter(customer_id=other).update(customer_id=into)


def _make(job: Job) -> Payload:
    offer = Offer.objects.filter(pk=job.payload["offer"]).exclude(state=Offer.State.ENDED).first()
    if offer is None:
        raise Refused("This offer has ended.")
    people_lock.writing()
    made, at = 0, timezone.now()
    with progress.watching(job) as watch, connection.cursor() as cursor:
        cursor.execute(NEW)
        for batch in _batches(job.payload["segment"], job.payload["count"]):
            made += _write(cursor, batch, offer=offer.pk, max_uses=job.payload["max_uses"], at=at)
            watch.tell(done=made)
        cursor.execute("DROP TABLE new_codes")
    return {"rows": made, "at": at.isoformat()}


def _batches(segment_id: int | None, count: int) -> Iterator[Sequence[int | None]]:
    """Holders of the codes to make: customers, or nobody."""
    if segment_id is not None:
        ids = list(members(segment_id).order_by("pk").values_list("pk", flat=True)[:MOST])
        yield from (ids[place : place + BATCH] for place in range(0, len(ids), BATCH))
        return
    for place in range(0, count, BATCH):
        yield [None] * min(BATCH, count - place)


def _write(cursor: Any, holders: Sequence[int | None], **told: Any) -> int:
    """A code for each holder. Codes that are taken are drawn again."""
    waiting = list(holders)
    for _draw in range(DRAWS):
        rows = list(zip(codes.several(len(waiting)), waiting, strict=True))
        cursor.execute("TRUNCATE new_codes")
        with cursor.copy("COPY new_codes (code, holder_id) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(TAKE, told)
        written = {code for (code,) in cursor.fetchall()}
        waiting = [holder for code, holder in rows if code not in written]
        if not waiting:
            return len(holders)
    raise RuntimeError("Codes that nobody has cannot be found.")


STEPS: Final = {MAKE: Step(MAKE, _make)}
