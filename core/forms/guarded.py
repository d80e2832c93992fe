"""A form that loses nothing when two people edit one record: the rules are in core.conflicts.

The view reads the record under its lock, gives its values as `initial` for GET and POST alike, and saves what is valid
in the same transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from core import conflicts


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A field that two people changed differently, in words."""

    name: str
    label: str
    theirs: str
    yours: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What belongs to the record and is edited beside the form's own fields, such as the lines of an order."""

    label: str
    current: conflicts.Texts
    yours: conflicts.Texts = ()


class Guarded(forms.Form):
    """`edited`: who changed the record last and when, in words, asked only for a conflict."""

    made_from = forms.CharField(widget=forms.HiddenInput, required=False)
    data: QueryDict

    def __init__(
        self,
        *args: Any,
        edited: Callable[[], str] = str,
        beside: Mapping[str, Beside] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.edited, self.beside = edited, beside or {}
        self.conflicts: list[Conflict] = []
        self.kept: list[str] = []

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == "made_from":
            return conflicts.token(self._current())
        return super().get_initial_for_field(field, field_name)

    def full_clean(self) -> None:
        """Settle with the record as it is now, then validate what is left."""
        if self.is_bound:
            self.data = self.data.copy()
            self._settle()
        super().full_clean()
        if self.conflicts and self.is_bound:
            self.add_error(
                None, _("Somebody else changed this while you did. Choose what is to stand, then save again.")
            )

    def _settle(self) -> None:
        current = self._current()
        yours = {name: self._posted(name) for name in current}
        made_from = self.data.get(self.add_prefix("made_from"), "")
        found = conflicts.compare(made_from=made_from, current=current, yours=yours)
        chosen = {name for name in current if self.data.get(f"keep-{name}") == "theirs"}
        self.kept = [*found.kept, *chosen]
        for name in self.kept:
            self._set(name, current[name])
        self.conflicts = [
            self._conflict(name, current[name], yours[name]) for name in found.conflicts if name not in chosen
        ]
        if self.conflicts:
            self.data[self.add_prefix("made_from")] = conflicts.token(current)

    def _current(self) -> dict[str, list[str]]:
        """The record's values as the form shows them."""
        names = [name for name in self.fields if name != "made_from" and not self.fields[name].disabled]
        own = {name: _texts(self.fields[name], self.get_initial_for_field(self.fields[name], name)) for name in names}
        return own | {name: list(other.current) for name, other in self.beside.items()}

    def _posted(self, name: str) -> list[str]:
        if name in self.beside:
            return list(self.beside[name].yours)
        return self.data.getlist(self.add_prefix(name))

    def _set(self, name: str, texts: list[str]) -> None:
        if name in self.fields:
            self.data.setlist(self.add_prefix(name), texts)

    def _conflict(self, name: str, theirs: list[str], yours: list[str]) -> Conflict:
        field = self.fields.get(name)
        label = self.beside[name].label if field is None else str(field.label or name)
        return Conflict(name=name, label=label, theirs=_words(field, theirs), yours=_words(field, yours))


def _texts(field: forms.Field, value: Any) -> list[str]:
    """What stands in the inputs of a field with this value."""
    if isinstance(field.widget, forms.CheckboxInput):
        return ["on"] if value else []
    shown = field.widget.format_value(field.prepare_value(value))
    return [str(text) for text in (shown if isinstance(shown, list | tuple) else [shown]) if text not in (None, "")]


def _words(field: forms.Field | None, texts: list[str]) -> str:
    """The value as people read it: the names of choices, yes or no for a tick."""
    if isinstance(field, forms.BooleanField):
        return _("yes") if texts else _("no")
    names = {str(key): str(name) for key, name in getattr(field, "choices", ())}
    return ", ".join(names.get(text, text) for text in conflicts.plain(texts)) or _("nothing")
