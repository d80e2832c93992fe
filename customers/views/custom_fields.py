from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from customers.forms.custom import FieldForm, initial
from customers.models import CustomField
from customers.services import custom
from customers.views.pages import form_page

HOME = ("customers:field_list", gettext_lazy("Custom fields"))


def field_list(request: DeskRequest) -> HttpResponse:
    fields = CustomField.objects.order_by("archived_at", "position", "pk")
    return render(request, "customers/field_list.html", {"fields": fields})


def field_add(request: DeskRequest) -> HttpResponse:
    form = FieldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        custom.add(**{name: form.cleaned_data[name] for name in ("label", "kind", "choices")})
        return redirect("customers:field_list")
    return form_page(request, form, title=_("Add a custom field"), home=HOME)


def field_edit(request: DeskRequest, pk: int) -> HttpResponse:
    field = get_object_or_404(CustomField, pk=pk)
    form = FieldForm(request.POST or None, initial=initial(field), field=field)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            custom.change(
                field_id=pk, label=told["label"], choices=told["choices"], position=told["position"] or field.position
            )
        except custom.FieldInUse as error:
            form.add_error("choices", str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("customers:field_list")
    return form_page(request, form, title=_("Edit"), home=HOME, record=field)


@require_POST
def field_archive(request: DeskRequest, pk: int) -> HttpResponse:
    """Out of use, or back into it. Values stay."""
    field = get_object_or_404(CustomField, pk=pk)
    custom.archive(field_id=pk, at=None if field.archived_at else timezone.now())
    return redirect("customers:field_list")
