"""Check that postings, lots, balances and holds agree. Names the rows that do not, and exits with 1."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from loyalty.services import verifying


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        is_wrong = False
        for result in verifying.verify():
            self.stdout.write(f"{'ok   ' if not result.wrong else 'WRONG'}  {result.check}")
            for text in result.wrong:
                self.stdout.write(f"         {text}")
            is_wrong = is_wrong or bool(result.wrong)
        if is_wrong:
            sys.exit(1)
