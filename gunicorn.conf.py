"""Before the web server forks: the servers that the URLs name are fit, or the embedded ones run."""

import os

from core import boot


def on_starting(server: object) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    boot.prepare(["gunicorn", "web"])
