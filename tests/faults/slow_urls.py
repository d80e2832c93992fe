import time

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path

from core.models import User
from core.views import health
from crm.access import PROBES
from crm.audiences import PAGE, PUBLIC


@login_not_required
def take(request, tenths):
    """A page that looks into the database, then works for a while."""
    User.objects.count()
    time.sleep(tenths / 10)
    return HttpResponse("done")


class LateAnswer:
    """What was asked is done and written down; the answer takes its time."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        answer = self.get_response(request)
        time.sleep(0.05)
        return answer


TABLE = {**PROBES, "take": {"GET": PUBLIC}, "settings:index": PAGE}
urlpatterns = [
    path("take/<int:tenths>/", take, name="take"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_text, name="metrics"),
]
