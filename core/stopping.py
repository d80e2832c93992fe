"""Going down in good order: a mark that all processes of one server share, and how long each may take.

The parent imports this module before it forks, so parent and children look at the same byte: the parent of the web
server sets it when it is asked to stop (/readyz then says so), the parent of the workers so that no worker takes
another job.
"""

import mmap
import os
from typing import Final

_MARK: Final = mmap.mmap(-1, 1)

# How long requests and jobs in hand may take after the signal. What stops us from outside must wait longer than both
# together: core.supervise and `stop_grace_period` do.
GRACE_SECONDS: Final = int(os.environ.get("GRACE_SECONDS", "15"))
# How long the web server goes on answering while /readyz already sends new callers elsewhere. Without a balancer: 0.
DRAIN_SECONDS: Final = float(os.environ.get("DRAIN_SECONDS", "0"))


def begin() -> None:
    _MARK[0] = 1


def begun() -> bool:
    return _MARK[0] == 1


def reset() -> None:
    """For tests, which share their process."""
    _MARK[0] = 0
