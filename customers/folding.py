"""Folding for search: lower case without accents, as `search` and `sort_name` are kept, and digits of postcodes."""

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
