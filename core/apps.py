from django.apps import AppConfig
from django.conf import settings

from core import catalogues


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every process speaks the languages as they are now: a web server, a worker, a test."""
        for folder in settings.LOCALE_PATHS:
            catalogues.compile_changed(folder)
