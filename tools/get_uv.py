"""Find uv, or install a pinned one into the project: with pip, or without it straight from the package index.

Standard library only. The index is the one pip would use (PIP_INDEX_URL, else PyPI); proxies and
SSL_CERT_FILE count as they do for Python itself.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

PINNED = "0.13.9"
OLDEST = (0, 8)
INDEX = "https://pypi.org/simple"
TIMEOUT_SECONDS = 120


class NoUvError(RuntimeError):
    """There is no uv and none could be installed. The message says why and what to do."""


def path(tools: Path) -> str:
    """Return the path of a uv that is recent enough; install the pinned one under `tools` if there is none."""
    own = tools / f"uv-{PINNED}" / "bin" / "uv"
    for candidate in (shutil.which("uv"), str(own)):
        if candidate and version(candidate) >= OLDEST:
            return candidate
    sys.stdout.write(f"Installing uv {PINNED} into {own.parent} …\n")
    sys.stdout.flush()
    if not install_with_pip(own.parent.parent):
        install_from_index(own)
    if version(str(own)) < OLDEST:
        raise NoUvError("uv was installed but does not run here: install it yourself and put it on the PATH.")
    return str(own)


def version(program: str) -> tuple[int, ...]:
    """Return uv's version, () if it is not there or does not run: `uv 0.13.9 (…)`."""
    try:
        done = subprocess.run([program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return ()
    match = re.match(r"uv (\d+)\.(\d+)", done.stdout.decode())
    return tuple(map(int, match.groups())) if match and done.returncode == 0 else ()


def install_with_pip(target: Path) -> bool:
    """Install by pip --target, which works beside a Python that its distribution manages (PEP 668)."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run(
        [*pip, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode:
        return False
    wanted = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--upgrade"]
    command = [*pip, *wanted, "--target", str(target), f"uv=={PINNED}"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def install_from_index(own: Path) -> None:
    """Unpack the program from the wheel in the package index."""
    index = (os.environ.get("PIP_INDEX_URL") or os.environ.get("UV_DEFAULT_INDEX") or INDEX).rstrip("/")
    try:
        page = f"{index}/uv/"
        link = choose(links(read(page).decode(), page), platform_tags())
        wheel = read(link)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NoUvError(f"uv could not be had from {without_password(index)}: {error}. Install uv yourself.") from error
    check(wheel, link)
    unpack(wheel, own)


def read(url: str) -> bytes:
    """Return what a URL holds; a user and password in it are sent as basic authentication."""
    parts = urllib.parse.urlsplit(url)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    opener = urllib.request.build_opener()
    if parts.username:
        words = urllib.request.HTTPPasswordMgrWithPriorAuth()
        user, password = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        words.add_password(None, plain, user, password, is_authenticated=True)
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(words))
    with opener.open(plain, timeout=TIMEOUT_SECONDS) as answer:
        body: bytes = answer.read()
        return body


class Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs).get("href")
        if tag == "a" and link:
            self.links.append(link)


def links(page: str, base: str) -> list[str]:
    """Return the absolute links of a simple-index page (PEP 503)."""
    parser = Anchors()
    parser.feed(page)
    return [urllib.parse.urljoin(base, link) for link in parser.links]


def platform_tags() -> list[str]:
    """Return the wheel tags that fit this machine, best first."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        return ["macosx_.*_arm64" if machine == "aarch64" else "macosx_.*_x86_64"]
    if platform.libc_ver()[0] == "glibc":
        return [f"manylinux[0-9_]*_{machine}"]
    return [f"musllinux[0-9_]*_{machine}"]


def choose(found: list[str], tags: list[str]) -> str:
    """Return the link of the pinned version's wheel for this machine. Raises ValueError if there is none."""
    for tag in tags:
        for link in found:
            name = urllib.parse.unquote(urllib.parse.urlsplit(link).path.rpartition("/")[2])
            if re.match(rf"uv-{re.escape(PINNED)}-py3-none-(.*\.)?{tag}(\..*)?\.whl$", name):
                return link
    raise ValueError(f"it has no uv {PINNED} for this machine ({', '.join(tags)})")


def check(wheel: bytes, link: str) -> None:
    """Compare with the hash that the index gives. Raises NoUvError."""
    wanted = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).fragment)).get("sha256")
    if wanted and hashlib.sha256(wheel).hexdigest() != wanted:
        raise NoUvError("The download of uv is damaged (its SHA-256 differs from the index's): run this again.")


def unpack(wheel: bytes, own: Path) -> None:
    """Write the programs of the wheel, all or nothing."""
    draft = own.parent.parent / f"bin.{os.getpid()}"
    draft.mkdir(parents=True)
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        for name in archive.namelist():
            if re.search(r"\.data/scripts/uvx?$", name):
                program = draft / Path(name).name
                program.write_bytes(archive.read(name))
                program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    shutil.rmtree(str(own.parent), ignore_errors=True)
    draft.rename(own.parent)


def without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", url)
