import time

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path

from core.models import User
from core.views import health
from crm.access import PAGE, PROBES, PUBLIC


@login_not_required
def take(request, tenths):
    """A page that looks into the database, then works for a while."""
    User.objects.count()
    time.sleep(tenths / 10)
    return HttpResponse("done")


TABLE = {**PROBES, "take": {"GET": PUBLIC}, "settings:index": PAGE}
urlpatterns = [
    path("take/<int:tenths>/", take, name="take"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_text, name="metrics"),
]
