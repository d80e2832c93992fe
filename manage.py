#!/usr/bin/env python
"""Perennial's command line. Starts the embedded servers when no DATABASE_URL or REDIS_URL is given."""

import os
import sys

from django.core.management import execute_from_command_line

from core import boot


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    boot.prepare(sys.argv)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
