from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from core import catalogues, production


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every process speaks the languages as they are now: a web server, a worker, a test."""
        checks.register(production.check_environment, checks.Tags.security, deploy=True)
        checks.register(production.check_choices, checks.Tags.security, deploy=True)
        for folder in settings.LOCALE_PATHS:
            catalogues.compile_changed(folder)
