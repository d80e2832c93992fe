"""Run a few processes side by side in one terminal: when one ends or somebody says stop, all end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TextIO

from core import stopping

GRACE_SECONDS = stopping.DRAIN_SECONDS + stopping.GRACE_SECONDS + 5  # what each of them may take, and a little
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def read_procfile(path: Path) -> dict[str, str]:
    """Return the commands of a Procfile by name: one `name: command` a line."""
    lines = [line.partition(":") for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    return {name.strip(): command.strip() for name, _, command in lines}


def run(
    commands: Mapping[str, str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    beside: Callable[[], None] | None = None,
    output: TextIO = sys.stdout,
) -> str | None:
    """Run shell commands until one of them ends or a signal comes, then stop the others.

    Returns the name of the one that ended by itself, None after SIGINT, SIGTERM or SIGHUP. Each line that
    they print gets their name in front. `beside` runs in a thread meanwhile. A second signal kills at once.
    """
    events: SimpleQueue[str | None] = SimpleQueue()
    before = {number: signal.signal(number, lambda *_: events.put(None)) for number in STOPS}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            processes[name] = _start(command, env, cwd)
            prefix = f"{name:<{max(map(len, commands))}} | "
            threading.Thread(target=_follow, args=(name, processes[name], prefix, output, events)).start()
        if beside:
            threading.Thread(target=beside, daemon=True).start()
        first = events.get()
        _stop(processes, events)
    finally:
        _kill(processes)
        for number, handler in before.items():
            signal.signal(number, handler)
    return first


def _start(command: str, env: Mapping[str, str], cwd: Path) -> "subprocess.Popen[bytes]":
    """Start a command in a session of its own: the terminal's Ctrl-C reaches only us, and we stop it in order."""
    return subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _follow(
    name: str, process: "subprocess.Popen[bytes]", prefix: str, output: TextIO, events: "SimpleQueue[str | None]"
) -> None:
    """Hand on what a process prints, and tell of its end."""
    for line in process.stdout or ():
        output.write(prefix + line.decode(errors="replace").rstrip("\n") + "\n")
        output.flush()
    process.wait()
    events.put(name)


def _stop(processes: Mapping[str, "subprocess.Popen[bytes]"], events: "SimpleQueue[str | None]") -> None:
    """Ask all to end, and wait for that until the grace is over or a second signal comes."""
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    while any(process.poll() is None for process in processes.values()):
        try:
            if events.get(timeout=GRACE_SECONDS) is None:
                return
        except Empty:
            return


def _kill(processes: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    """Kill what is left, the children of the processes too."""
    for process in processes.values():
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for process in processes.values():
        process.wait()
