from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from analytics.selectors import worth
from core.http import DeskRequest, wants_part
from core.models import Run
from customers.models import Segment


def segment_profit(request: DeskRequest, scheme: str, slug: str) -> HttpResponse:
    """What the customers of a segment brought in and cost: loaded after the segment's page, because it adds them up."""
    segment = get_object_or_404(Segment, scheme=scheme, slug=slug)
    run = Run.objects.filter(is_current=True).first()
    if run is None:
        raise Http404("No night has been published yet.")
    context = {"segment": segment, "run": run, "found": worth.of_segment(scheme=scheme, slug=slug, run=run)}
    page = "analytics/_segment_profit.html" if wants_part(request) else "analytics/segment_profit.html"
    return render(request, page, context)
