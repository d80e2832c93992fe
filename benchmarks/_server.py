"""What a home's PostgreSQL has used of the processors."""

import os
from pathlib import Path


def seconds(home: Path) -> float:
    """Processor time of all its processes so far, those that ended among them."""
    main = (home / "postgres" / "postmaster.pid").read_text().split()[0]
    ticks = sum(map(int, _fields(Path("/proc") / main)[11:15]))  # its own, and that of children that ended
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and (fields := _fields(process)) and fields[1] == main:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(process: Path) -> list[str]:
    """Those of /proc/PID/stat from the state on; none when the process is gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
