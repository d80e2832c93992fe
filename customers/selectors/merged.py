"""Who stands for whom since customers were merged."""

from collections.abc import Iterable, Sequence

from customers.models import Merge


def survivor(customer_id: int) -> int:
    """The customer who stands for this one now; the same one where nothing was merged."""
    while (into := Merge.objects.filter(other=customer_id).values_list("into", flat=True).first()) is not None:
        customer_id = into
    return customer_id


def survivors(customer_ids: Iterable[int]) -> dict[int, int]:
    """The same of many, in one query where nobody was merged."""
    found = {pk: pk for pk in customer_ids}
    while moved := dict(Merge.objects.filter(other__in=set(found.values())).values_list("other", "into")):
        found = {pk: moved.get(now, now) for pk, now in found.items()}
    return found


def everybody(customer_id: int) -> list[int]:
    """The customer, and all who were merged into them, also by way of others."""
    found = fresh = [customer_id]
    while fresh := list(Merge.objects.filter(into__in=fresh).order_by("pk").values_list("other", flat=True)):
        found = found + fresh
    return found


def of(customer_id: int) -> Sequence[Merge]:
    """Merges that the customer took part in, on either side, the latest first."""
    rows = Merge.objects.filter(into=customer_id) | Merge.objects.filter(other=customer_id)
    return list(rows.select_related("into", "other", "by").order_by("-pk"))
