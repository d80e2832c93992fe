"""Texts as they are compared, by the database's own functions, so that both sides come out alike.

For search: lower case without accents, as the columns `search` and `sort_name` are kept. Addresses by their mailbox,
postcodes by their digits.
"""

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Left


class Fold(Func):
    """`Fold(Value("Łódź"))` is `lodz`, by the database's own function, so that both sides fold alike."""

    function = "perennial_fold"
    arity = 1
    output_field = TextField()


def postcode_digits() -> Func:
    """The first five digits of a customer's postcode: the same however it is written, and shared by few."""
    digits = Func(F("postcode"), Value(r"\D"), Value(""), Value("g"), function="regexp_replace")
    return Left(digits, 5, output_field=TextField())


class Mailbox(Func):
    """`Mailbox("address")` is an address without the dots and the plus tag that many mailboxes take no notice of."""

    function = "perennial_mailbox"
    arity = 1
    output_field = TextField()
