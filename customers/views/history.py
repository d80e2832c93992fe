from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from core.http import DeskRequest, wants_part
from customers.selectors import history


def record_history(request: DeskRequest, kind: str, pk: int) -> HttpResponse:
    model = history.RECORDS.get(kind)
    if model is None:
        raise Http404("No such kind of record.")
    context = {
        "record": get_object_or_404(model._default_manager, pk=pk),
        "entries": history.of(kind, pk, business=request.business),
    }
    return render(request, "customers/_history.html" if wants_part(request) else "customers/history.html", context)
