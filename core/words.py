"""Sentences of modules that know nothing of Django: English patterns that core.retelling says in other languages."""


def words(pattern: str, **values: object) -> str:
    """`words("{file} is empty.", file="a.csv")`. The pattern is a text of the catalogues (tools/catalogues.py).

    Values that are sentences of their own are named `reason`, `place` or `problem`: they are translated, too. All other
    values stay as they are.
    """
    return pattern.format(**values)
