"""Whether two addresses are one person's, as far as an address can tell. Pure."""

from collections.abc import Iterable
from typing import Final

ALIASES: Final = {"googlemail.com": "gmail.com"}


def canonical(address: str) -> str:
    """An address without what people add to make it look like another: dots and a plus tag in its first part.

    Not everywhere do `a.b@` and `ab@` reach one mailbox, so that two alike are a reason to look and not to refuse.
    """
    name, _, domain = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0].replace('.', '')}@{ALIASES.get(domain, domain)}"


def are_similar(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether any address of `one` is also among `other` once both are made canonical."""
    return not {canonical(address) for address in one}.isdisjoint(canonical(address) for address in other)
