"""Run a program as another account: `python drop.py UID GID DIRECTORY PROGRAM ARGUMENT…`, called by root.

A checkout or a Python under /root (mode 0700) is out of reach for any other account. Opening the parents'
modes would be rude, and copying the programs is slow; so, only where it is needed, the program keeps the
right to pass closed directories (CAP_DAC_READ_SEARCH; in containers, which lack it, CAP_DAC_OVERRIDE).

The kernel clears rights on a change of account and answers access(2) without them. SECBIT_NO_SETUID_FIXUP
turns both off; PostgreSQL asks access(2) about its own binary (capabilities(7), prctl(2)).
This file is run as a script and imports nothing of the project.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from functools import partial

DAC_OVERRIDE = 1 << 1
DAC_READ_SEARCH = 1 << 2

PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3 = 0x20080522


class Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Rights(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def main(arguments: list[str]) -> None:
    uid, gid, directory, *command = arguments
    account = int(uid), int(gid)
    if not in_child(partial(reachable, directory, command[0]), account):
        lend(account, directory, command[0])
    else:
        become(account)
    os.execv(command[0], command)  # noqa: S606


def become(account: tuple[int, int]) -> None:
    uid, gid = account
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def reachable(directory: str, program: str) -> bool:
    return os.access(directory, os.R_OK | os.W_OK | os.X_OK) and os.access(program, os.R_OK | os.X_OK)


def in_child(question: Callable[[], bool], account: tuple[int, int]) -> bool:
    """Answer a question as the other account, in a child, so that we stay who we are."""
    child = os.fork()
    if child == 0:
        try:
            become(account)
            os._exit(0 if question() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def lend(account: tuple[int, int], directory: str, program: str) -> None:
    """Become the account but keep the least right that makes the directory and the program reachable."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "prctl") or libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0):
        give_up(account, directory)
    for right in (DAC_READ_SEARCH, DAC_OVERRIDE):
        if in_child(partial(reaches_with, libc, right, directory, program), account):
            become(account)
            keep(libc, right)
            return
    give_up(account, directory)


def reaches_with(libc: ctypes.CDLL, right: int, directory: str, program: str) -> bool:
    return keep(libc, right) and reachable(directory, program)


def keep(libc: ctypes.CDLL, right: int) -> bool:
    """Keep one right and no other, across exec too. False if we do not have it."""
    header = Header(CAPABILITY_VERSION_3, 0)
    rights = (Rights * 2)(Rights(right, right, right))
    if libc.capset(ctypes.byref(header), rights):
        return False
    return not libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, right.bit_length() - 1, 0, 0)


def give_up(account: tuple[int, int], directory: str) -> None:
    sys.exit(
        f"FATAL:  user {account[0]} cannot reach {directory}: "
        "set PERENNIAL_HOME to a directory that every user can pass, or run as a user other than root"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
