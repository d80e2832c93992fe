from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from core import edits
from core.http import DeskRequest
from core.models import Edit, User


class AuditFilter(forms.Form):
    person = forms.ModelChoiceField(
        label=_("Person"),
        queryset=User.objects.staff().order_by("name", "email"),
        required=False,
        empty_label=_("Everybody"),
    )
    kind = forms.ChoiceField(label=_("Record"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("All records")), *edits.kinds()]  # type: ignore[attr-defined]

    def chosen(self) -> QuerySet[Edit]:
        """The latest edits first; what cannot be read chooses nothing away."""
        self.is_valid()
        told = {name: value for name, value in self.cleaned_data.items() if value}
        lookups = {"person": "user", "kind": "about", "since": "at__date__gte", "until": "at__date__lte"}
        return Edit.objects.filter(**{lookups[name]: value for name, value in told.items()}).order_by("-pk")


def audit_log(request: DeskRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    found = form.chosen().select_related("user")
    before = request.GET.get("before", "")
    if before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    shown = list(found[: edits.PAGE_EDITS + 1])
    page = shown[: edits.PAGE_EDITS]
    context = {
        "form": form,
        "entries": edits.entries(page, business=request.business),
        "earlier": page[-1].pk if len(shown) > len(page) else None,
        "is_filtered": bool(form.has_changed()),
    }
    return render(request, "core/audit_log.html", context)
