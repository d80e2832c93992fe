"""Folding for search: lower case without accents, as the columns `search` and `sort_name` are kept."""

from django.db.models import Func, TextField


class Fold(Func):
    """`Fold(Value("Łódź"))` is `lodz`, by the database's own function, so that both sides fold alike."""

    function = "perennial_fold"
    arity = 1
    output_field = TextField()
