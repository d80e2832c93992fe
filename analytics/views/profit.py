from django.http import Http404, HttpResponse
from django.shortcuts import render

from analytics import schemes
from analytics.selectors import worth
from core.http import DeskRequest, wants_part
from core.models import Run
from customers.models import Segment

# Nobody may be in a segment yet: while the first night is at work, or in a small shop.
NAMES = {(scheme.slug, kind.slug): kind.label for scheme in schemes.ALL for kind in scheme.kinds}


def segment_profit(request: DeskRequest, scheme: str, slug: str) -> HttpResponse:
    """What the customers of a segment brought in and cost: loaded after the segment's page, because it adds them up."""
    segment = Segment.objects.filter(scheme=scheme, slug=slug).first()
    name = segment.name if segment else NAMES.get((scheme, slug))
    if name is None:
        raise Http404("No such segment.")
    run = Run.objects.filter(is_current=True).first()
    if run is None:
        raise Http404("No night has been published yet.")
    context = {"name": name, "run": run, "found": worth.of_segment(scheme=scheme, slug=slug, run=run)}
    page = "analytics/_segment_profit.html" if wants_part(request) else "analytics/segment_profit.html"
    return render(request, page, context)
