"""The page of a plain form: one card of fields between where one came from and Save."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise

from core.http import DeskRequest


def form_page(
    request: DeskRequest, form: forms.Form, *, title: str, home: tuple[str, str | Promise], record: Any = None
) -> HttpResponse:
    """`home`: the route and the name of the list; `record`: what is edited, None for a new one."""
    route, name = home
    context = {
        "form": form,
        "title": title if record is None else str(record),
        "list_url": reverse(route),
        "list_name": name,
        "record": record,
        "record_url": getattr(record, "get_absolute_url", str)() if record is not None else "",
    }
    return render(request, "customers/form_page.html", context)
