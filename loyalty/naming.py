"""What this shop calls its points, in sentences of Python and of templates (loyalty.templatetags.points)."""

from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.functional import lazy
from django.utils.text import capfirst

from loyalty.models.programme import Names, called
from loyalty.selectors import programme


def said(text: Any, number: int = 2, **told: Any) -> str:
    """`text` with %(points)s, %(Points)s where it begins a sentence: what so many are called. One query.

    Whole numbers of `told` are written in groups of three.
    """
    name = programme.current().called(number)
    numbers = {
        key: number_format(value, 0, force_grouping=True) for key, value in told.items() if isinstance(value, int)
    }
    return str(text) % {"points": name, "Points": capfirst(name), **told, **numbers}


def named(text: str, row: Names) -> str:
    """`[points]` and `[point]` of a sentence, `[Points]` and `[Point]` where it begins, as this shop calls them."""
    one, many = called(row, 1), called(row, 2)
    names = {"[points]": many, "[Points]": capfirst(many), "[point]": one, "[Point]": capfirst(one)}
    for place, name in names.items():
        text = text.replace(place, name)
    return str(text)


def in_form(form: forms.BaseForm, row: Names) -> None:
    """The same in all labels and explanations of a form."""
    for field in form.fields.values():
        field.label = named(str(field.label or ""), row) or None
        field.help_text = named(str(field.help_text), row)


# Read when somebody looks at it: a refusal is made inside of a transaction that may be broken, a form's label before
# there is a request. Give it a text that is translated late, too.
later = lazy(said, str)
