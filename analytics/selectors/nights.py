"""Published nights: the one that readers see, and those that its figures are compared with."""

from datetime import date

from core.models import Run


def current() -> Run | None:
    """The run whose scores readers see."""
    return Run.objects.filter(is_current=True).first()


def before(day: date) -> Run | None:
    """The newest published night for a date up to `day`: what a figure is compared with."""
    published = Run.objects.filter(published_at__isnull=False, as_of__lte=day)
    return published.defer("model").order_by("-as_of", "-revision").first()


def since(day: date) -> list[Run]:
    """The published nights after `day`, one for a date (the newest revision), oldest first."""
    published = Run.objects.filter(published_at__isnull=False, as_of__gt=day).defer("model", "settings")
    return list({run.as_of: run for run in published.order_by("as_of", "revision")}.values())
