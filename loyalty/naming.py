"""What this shop calls its points, in sentences that are written in Python. Templates have the filter `called`."""

from typing import Any

from django.utils.functional import lazy
from django.utils.text import capfirst

from loyalty.selectors import programme


def said(text: Any, number: int = 2, **told: Any) -> str:
    """`text` with %(points)s, %(Points)s where it begins a sentence: what so many are called. One query."""
    name = programme.current().called(number)
    return str(text) % {"points": name, "Points": capfirst(name), **told}


# Read when somebody looks at it: a refusal is made inside of a transaction that may be broken, a form's label before
# there is a request. Give it a text that is translated late, too.
later = lazy(said, str)
