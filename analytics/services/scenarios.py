"""What-if questions that people keep. A name is one scenario's alone, whatever its capitals, until it is deleted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction

from analytics.models import Scenario
from core.models import User

ALONE: Final = "a_scenario_has_its_name_alone"


class NameTaken(Exception):
    """Another scenario has this name."""


class IsDeleted(Exception):
    """Somebody has deleted the scenario; it can be brought back."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """What people write of a scenario. `changes`: per cent by lever; a lever that is not named stays where it is."""

    name: str
    note: str = ""
    scheme: str = ""
    slug: str = ""
    changes: Mapping[str, Decimal]

    @property
    def columns(self) -> dict[str, Any]:
        name = " ".join(self.name.split())
        return {"name": name, "note": self.note, "scheme": self.scheme, "slug": self.slug, **self.changes}


def add(*, item: Item, by: User, at: datetime) -> Scenario:
    """Raises NameTaken."""
    with _name_alone():
        return Scenario.objects.create(**item.columns, made_at=at, made_by=by, changed_at=at, changed_by=by)


def change(*, scenario_id: int, item: Item, by: User, at: datetime) -> Scenario:
    """Raises NameTaken, IsDeleted."""
    with _name_alone():
        scenario = Scenario.objects.select_for_update(no_key=True).get(pk=scenario_id)
        if scenario.deleted_at is not None:
            raise IsDeleted(scenario.name)
        told = item.columns | {"changed_at": at, "changed_by": by}
        for name, value in told.items():
            setattr(scenario, name, value)
        scenario.save(update_fields=told)
    return scenario


def delete(*, scenario_id: int, at: datetime) -> bool:
    """Returns whether it was there to delete."""
    return bool(Scenario.objects.filter(pk=scenario_id, deleted_at__isnull=True).update(deleted_at=at))


def restore(*, scenario_id: int) -> bool:
    """Returns whether it was deleted. Raises NameTaken."""
    with _name_alone():
        return bool(Scenario.objects.filter(pk=scenario_id, deleted_at__isnull=False).update(deleted_at=None))


@contextmanager
def _name_alone() -> Iterator[None]:
    """One transaction, or a savepoint, in which the database may refuse the name."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) == ALONE:
            raise NameTaken from error
        raise
