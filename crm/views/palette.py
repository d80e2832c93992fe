from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from core.http import DeskRequest
from crm.selectors import nights
from crm.selectors import palette as hits


def palette(request: DeskRequest) -> HttpResponse:
    """Hits under the search box; with `pages` also the pages of the desk. Without htmx: the customer list."""
    text = request.GET.get("q", "").strip()[:100]
    if not request.htmx:
        return redirect(f"{reverse('desk:customer_list')}?{urlencode({'q': text})}")
    context = {
        "text": text,
        "pages": hits.pages(text) if request.GET.get("pages") else [],
        "customers": hits.customers(text, run=nights.current()),
    }
    return render(request, "crm/_hits.html", context)
