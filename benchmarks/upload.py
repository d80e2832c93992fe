"""A million rows through the real web server: memory of web and worker together, and kills while it imports.

    uv run python -m benchmarks.upload [--rows N] [--kills N] [--file FILE]

Signs in, uploads, chooses the columns, tries out and imports as a browser does, over HTTP. `rss` adds up what each
process of the web server and the workers holds in memory, so that pages which they share count again for each of them;
`pss` counts a shared page once. The servers of PostgreSQL and Redis are not in it. With --kills the worker's whole
group gets kill -9 that often while it imports; at the end every row has to be in once.
"""

import argparse
import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import _home

HOME = _home.enter("upload")

from django.utils import timezone  # noqa: E402

from core import engine, statics, supervise  # noqa: E402
from core.models import Job, User  # noqa: E402
from customers.models import ImportBatch, OrderLine, Upload  # noqa: E402

MOST_MB = 500.0
BASE_DIR = Path(__file__).resolve().parent.parent
PASSWORD = "juniper-and-oak"
HEADER = "customer_id,date,amount,order_id,email,name,product\n"


def main() -> None:
    asked = _options()
    file = asked.file or _orders(HOME / "orders.csv", asked.rows)
    shop = Shop()
    try:
        shop.begin()
        with Memory(shop.processes) as memory:
            _go(shop, memory, file, asked)
        print(f"peak   rss {memory.rss:.0f} MB, pss {memory.pss:.0f} MB; {memory.parts}")
        print(f"aim    at most {MOST_MB:.0f} MB of pss: {'reached' if memory.pss <= MOST_MB else 'MISSED'}")
    finally:
        shop.end()
        _home.leave(HOME)
    if memory.pss > MOST_MB:
        raise SystemExit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--file", type=Path, help="a file with these columns: " + HEADER)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _orders(path: Path, rows: int) -> Path:
    """Two rows an order, five orders a customer."""
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(rows):
            customer = n // 10
            day = f"20{20 + n % 5}-{n % 12 + 1:02}-{n % 28 + 1:02}"
            file.write(f"c{customer},{day},12.50,o{n // 2},c{customer}@example.com,Customer {customer},p{n % 997}\n")
    return path


def _go(shop: "Shop", memory: "Memory", file: Path, asked: argparse.Namespace) -> None:
    browser = Browser(shop.port)
    browser.sign_in()
    memory.reset()
    print(f"idle   {memory.look()}")
    with timed("upload", asked.rows):
        pk = browser.upload(file)
    memory.say("upload")
    with timed("try out", asked.rows):
        browser.try_out(pk)
        shop.wait(pk, "checked")
    memory.say("try out")
    with timed(f"import, killed {asked.kills} times", asked.rows):
        browser.post(f"/imports/{pk}/start/", {})
        dice = Random(asked.seed)
        for number in range(asked.kills):
            shop.kill_in_the_middle(pk, dice, number)
        shop.wait(pk, "done")
    memory.say("import")
    shop.count(asked.rows, asked.kills)
    with timed("the same file again, tried out", asked.rows):
        pk = browser.upload(file)
        browser.try_out(pk)
        upload = shop.wait(pk, "checked")
    report = upload.findings["report"]
    print(f"again  {report['orders_created']} created, {report['orders_unchanged']:,} unchanged")


class timed:  # noqa: N801 - reads like a verb
    def __init__(self, name: str, rows: int) -> None:
        self.name, self.rows = name, rows

    def __enter__(self) -> None:
        self.began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        seconds = time.monotonic() - self.began
        print(f"{self.name:<32} {seconds:6.1f} s, {self.rows / seconds:,.0f} rows/s", flush=True)


class Shop:
    """The web server and the worker as the Procfile says, and what their database knows."""

    def __init__(self) -> None:
        self.processes = dict[str, subprocess.Popen[bytes]]()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def begin(self) -> None:
        statics.collect()
        User.objects.create_user("manager@example.com", PASSWORD, role="manager")
        self.start("web")
        self.start("worker")

    def start(self, name: str) -> None:
        command = supervise.read_procfile(BASE_DIR / "Procfile")[name]
        environment = os.environ | {"PORT": str(self.port), "PATH": f"{BASE_DIR}/.venv/bin:{os.environ['PATH']}"}
        self.processes[name] = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"], env=environment, cwd=BASE_DIR, start_new_session=True
        )

    def wait(self, pk: int, stage: str) -> Any:
        """Until the upload is there. Sweeps meanwhile as the beat would: a dead worker's job goes out again."""

        while True:
            upload = Upload.objects.select_related("job").get(pk=pk)
            if upload.stage == stage:
                return upload
            if upload.stage in ("failed", "stopped"):
                raise SystemExit(f"{upload.stage}: {upload.job and upload.job.error}")
            engine.release_stale(at=timezone.now())
            time.sleep(0.5)

    def kill_in_the_middle(self, pk: int, dice: Random, number: int) -> None:
        """Kill the workers once somebody does the import again that `number` workers were lost for."""
        job_id = Upload.objects.get(pk=pk).job_id or 0
        while not Job.objects.filter(pk=job_id, state=Job.State.CLAIMED, losses=number).exists():
            engine.release_stale(at=timezone.now())
            time.sleep(0.5)
        time.sleep(dice.uniform(1, 20))
        os.killpg(self.processes["worker"].pid, signal.SIGKILL)
        self.processes["worker"].wait()
        self.start("worker")

    def count(self, rows: int, kills: int) -> None:
        lines, batches = OrderLine.objects.count(), ImportBatch.objects.count()
        losses = ImportBatch.objects.get().upload.job.losses
        print(f"rows   {lines:,} of {rows:,}, {batches} import, {losses} workers lost")
        if (lines, batches) != (rows, 1):
            raise SystemExit("a row is missing or there twice")
        if losses < kills:
            raise SystemExit("a kill came when nobody was at work")

    def end(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=60)


class Browser:
    """Just enough of one: cookies, the token, a form with a file that is sent as it is read."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies = port, dict[str, str]()

    def sign_in(self) -> None:
        while True:
            try:
                self.get("/accounts/login/")
                break
            except OSError:
                time.sleep(0.3)
        self.post("/accounts/login/", {"login": "manager@example.com", "password": PASSWORD})

    def upload(self, file: Path) -> int:
        """Returns the upload's number."""
        mark = secrets.token_hex(16)
        head = "".join(
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in {"csrfmiddlewaretoken": self.token("/imports/new/"), "kind": "orders"}.items()
        )
        head += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        tail = f"\r\n--{mark}--\r\n"
        size = len(head) + file.stat().st_size + len(tail)
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Content-Length": str(size)}
        _, _, place = self.ask("POST", "/imports/new/", headers, _parts(head, file, tail))
        return int(place.split("/")[2])

    def try_out(self, pk: int) -> None:
        names = HEADER.strip().split(",")
        entered = {f"column_{number}": name for number, name in enumerate(names)}
        self.post(f"/imports/{pk}/mapping/", {"preset": "generic", "source": "shop", **entered})

    def post(self, path: str, entered: dict[str, str]) -> None:
        token = self.token(path if "start" not in path else "/imports/new/")
        body = urllib.parse.urlencode({**entered, "csrfmiddlewaretoken": token}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        status, _, _ = self.ask("POST", path, headers, body)
        if status != 302:
            raise SystemExit(f"POST {path} answered {status}")

    def token(self, path: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path))
        assert found is not None, path
        return found[1]

    def get(self, path: str) -> str:
        return self.ask("GET", path, {}, None)[1]

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")


def _parts(head: str, file: Path, tail: str) -> Iterator[bytes]:
    yield head.encode()
    with file.open("rb") as source:
        while block := source.read(1 << 16):
            yield block
    yield tail.encode()


class Memory:
    """The most that the processes and all below them held together, looked at five times a second."""

    def __init__(self, processes: dict[str, subprocess.Popen[bytes]]) -> None:
        self.processes, self.over = processes, threading.Event()
        self.reset()

    def reset(self) -> None:
        self.rss = self.pss = 0.0
        self.parts = ""

    def __enter__(self) -> "Memory":
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.over.wait(0.2):
            self.look()

    def look(self) -> str:
        parts = {name: _held(_family(process.pid)) for name, process in list(self.processes.items())}
        rss, pss = (sum(part[i] for part in parts.values()) for i in (0, 1))
        text = ", ".join(f"{name} rss {part[0]:.0f} pss {part[1]:.0f}" for name, part in parts.items())
        if pss > self.pss:
            self.pss, self.parts = pss, text
        self.rss = max(self.rss, rss)
        return f"rss {rss:.0f} MB, pss {pss:.0f} MB; {text}"

    def say(self, step: str) -> None:
        print(f"{step:<10} so far at most rss {self.rss:.0f} MB, pss {self.pss:.0f} MB", flush=True)


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            continue
        found += map(int, children)
    return found


def _held(pids: list[int]) -> tuple[float, float]:
    """RSS and PSS in MB."""
    rss = pss = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        found = dict(re.findall(r"^(Rss|Pss):\s+(\d+)", text, re.MULTILINE))
        rss, pss = rss + int(found["Rss"]), pss + int(found["Pss"])
    return rss / 1024, pss / 1024


if __name__ == "__main__":
    main()
