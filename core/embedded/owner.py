"""Which account the servers run as. PostgreSQL refuses to run as root, so root lends them another account."""

import os
import pwd
import sys
from pathlib import Path
from typing import NamedTuple

DROP = Path(__file__).with_name("drop.py")


class Account(NamedTuple):
    uid: int
    gid: int


def of(home: Path) -> Account:
    """Return the account that runs the servers of a home.

    Anybody but root runs them as themselves. Root takes the owner of the data, else of the home, else nobody.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for place in (home / "postgres", home):
        if place.exists() and is_lendable(place.stat().st_uid):
            return Account(place.stat().st_uid, place.stat().st_gid)
    return nobody()


def is_lendable(uid: int) -> bool:
    """Can this account run PostgreSQL? It refuses root, and accounts that have no name."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return uid != 0


def nobody() -> Account:
    """Return the account `nobody`, or where there is none the first that is not root's."""
    entries = sorted(pwd.getpwall(), key=lambda entry: (entry.pw_name != "nobody", entry.pw_uid == 0))
    return Account(entries[0].pw_uid, entries[0].pw_gid)


def give(path: Path, account: Account) -> None:
    """Make the account the owner of a path, when we are root and may."""
    if os.geteuid() == 0:
        os.chown(path, *account, follow_symlinks=False)


def command(arguments: list[str], account: Account, directory: Path) -> list[str]:
    """Return the command line that runs `arguments` as the account, which must be able to reach `directory`."""
    if os.geteuid() != 0:
        return arguments
    return [sys.executable, "-I", "-S", str(DROP), str(account.uid), str(account.gid), str(directory), *arguments]
