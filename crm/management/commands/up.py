"""`./manage.py up`: everything in one terminal, for a try-out. `make run` ends here."""

import http.client
import os
import shlex
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.urls import reverse

from core import boot, checks, embedded, first_run, statics, supervise
from core.models import Business, Run
from crm.demo import accounts
from customers.models import Customer

ANSWER_SECONDS = 60


class Command(BaseCommand):
    help = "Starts the servers, migrates, fills an empty home with the demo shop, then runs web, worker and beat."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-demo", action="store_true", help="Leave an empty home empty (also DEMO=0).")

    def handle(self, *args: Any, host: str, port: int, no_demo: bool, **options: Any) -> None:
        demand_free(host, port)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            started = boot.serve(boot.home())
            boot.check_given()
        except (embedded.EmbeddedError, checks.UnfitServerError) as error:
            raise CommandError(str(error), returncode=2) from error
        try:
            self.fill(demo=not no_demo and os.environ.get("DEMO") != "0")
            self.run(host, port)
        except KeyboardInterrupt:
            self.say("Stopped before it was ready; the next start goes on from here.")
        finally:
            if started:
                embedded.stop(boot.home())

    def fill(self, *, demo: bool) -> None:
        """Make tables and static files; fill an empty home; let one night pass if none has."""
        call_command("migrate", verbosity=0, interactive=False)
        statics.collect()
        if demo and wants_demo():
            self.say("Filling the empty home with the demo shop …")
            call_command("seed_demo", "--nights", verbosity=0, stdout=self.stdout, stderr=self.stderr)
        if Customer.objects.exists() and not Run.objects.filter(is_current=True).exists():
            call_command("nightly")

    def run(self, host: str, port: int) -> None:
        """Run the Procfile until Ctrl-C or SIGTERM."""
        env = os.environ | {
            "HOST": host,
            "PORT": str(port),
            "PERENNIAL_HOME": str(boot.home()),
            # A try-out as root is no reason to be scolded at each start.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        commands = supervise.read_procfile(settings.BASE_DIR / "Procfile") | mail_sink(env)
        announce = partial(self.announce, host, port, ways_in(f"http://{shown(host)}:{port}"))
        connections.close_all()
        ended = supervise.run(commands, env=env, cwd=settings.BASE_DIR, beside=announce)
        if ended:
            raise CommandError(f"{ended} ended by itself, so all was stopped; what it said is above.")
        self.say("Stopped.")

    def say(self, text: str) -> None:
        """Print at once, into a file too, where a terminal's line buffering is missing."""
        self.stdout.write(text)
        self.stdout.flush()

    def announce(self, host: str, port: int, ways: str) -> None:
        """Print the address once the web server answers."""
        if answers(host, port):
            self.say(f"\n  Perennial is ready: http://{shown(host)}:{port}/\n{ways}  Ctrl-C stops it.\n")


def mail_sink(env: dict[str, str]) -> dict[str, str]:
    """The mail server of a try-out that has no other, and its port in the environment of the others."""
    if env.get("EMAIL_URL"):
        return {}
    env["MAIL_SINK_PORT"] = str(free_port())
    return {"mail": f"python -m core.mail_sink $MAIL_SINK_PORT {shlex.quote(str(boot.home() / 'outbox'))}"}


def free_port() -> int:
    """A port of the loopback that nobody listens on, so that two homes side by side do not meet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ways_in(address: str) -> str:
    """What to sign in with: the demo's accounts, or the link that makes the first one."""
    if not first_run.is_open():
        return accounts.text()
    if not boot.embeds_postgres():
        return "  Nobody can sign in yet: ./manage.py create_admin EMAIL\n"
    link = reverse("desk:welcome_first", kwargs={"token": first_run.token()})
    return f"  Open this once to set it up: {address}{link}\n"


def wants_demo() -> bool:
    """Whether the home is empty, or its demo was cut off before the first night."""
    if not Customer.objects.exists():
        return True
    return Business.objects.filter(is_demo=True).exists() and not Run.objects.filter(is_current=True).exists()


def demand_free(host: str, port: int) -> None:
    """Raise before anything long is done if somebody else listens on the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}): choose another with `make run PORT={port + 10}`.",
                returncode=2,
            ) from error


def answers(host: str, port: int) -> bool:
    """Wait for the web server's first answer, whatever it says."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(shown(host), port, timeout=10)
        try:
            connection.request("GET", "/livez")
            connection.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            return True
        finally:
            connection.close()
    return False


def shown(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0") else host  # noqa: S104 - compared, not bound
