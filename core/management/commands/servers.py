"""`./manage.py servers start|stop|status`: the embedded PostgreSQL and Redis of PERENNIAL_HOME."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import boot, embedded


class Command(BaseCommand):
    help = "Starts, stops or shows the embedded PostgreSQL and Redis of PERENNIAL_HOME."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            {"start": self.start, "stop": self.stop, "status": self.status}[action]()
        except embedded.EmbeddedError as error:
            raise CommandError(str(error), returncode=2) from error

    def start(self) -> None:
        boot.serve(boot.home())
        self.status()

    def stop(self) -> None:
        done = embedded.stop(boot.home())
        self.stdout.write(f"The servers of {boot.home()} {'are stopped' if done else 'were not running'}.")

    def status(self) -> None:
        for state in embedded.status(boot.home()):
            self.stdout.write(f"{state.name}: {describe(state)}; log {state.log}")
        self.stdout.write(f"DATABASE_URL={embedded.database_url(boot.home())}")
        self.stdout.write(f"REDIS_URL={embedded.redis_url(boot.home())}")


def describe(state: embedded.State) -> str:
    if not state.running:
        return "not running"
    return f"process {state.pid}, {state.answer or 'ready'}"
