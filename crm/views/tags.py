from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from analytics import schemes
from core.http import DeskRequest, wants_part
from crm import groups
from crm.selectors import nights, people
from customers.models import Customer, Segment
from customers.models.tag import NEEDS
from customers.selectors import tags as found
from customers.services import tags

REFUSED = gettext_lazy("A tag is a word or a few, with at most %(longest)s letters.")
FULL = gettext_lazy("There are %(most)s tags already. Use one of them.")


class NameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=tags.LONGEST)


@require_POST
def customer_tags(request: DeskRequest, pk: int) -> HttpResponse:
    """Give one customer a tag (`add`), or take one away (`remove`)."""
    customer = get_object_or_404(Customer, pk=pk)
    problem = ""
    if "remove" in request.POST:
        tag = get_object_or_404(Segment, scheme=NEEDS, slug=request.POST["remove"])
        tags.remove(segment_id=tag.pk, customer_ids=[pk], at=timezone.now())
    else:
        problem = _add(request, [pk])[0]
    if wants_part(request):
        return render(request, "crm/_tags.html", {"customer": customer, **panel(pk), "problem": problem})
    if problem:
        messages.error(request, problem)
    return redirect(customer)


def panel(pk: int) -> dict[str, object]:
    """What the card of tags shows: two queries."""
    own = list(found.of_customer(pk))
    return {"tags": own, "tags_known": [tag for tag in found.known() if tag not in own]}


def _add(request: DeskRequest, customer_ids: list[int]) -> tuple[str, int]:
    """Why the tag could not be given, or nothing, and how many got it."""
    try:
        tag = tags.find_or_make(name=request.POST.get("add", ""))
    except tags.BadTag:
        return REFUSED % {"longest": tags.LONGEST}, 0
    except tags.TooManyTags:
        return FULL % {"most": tags.MOST_TAGS}, 0
    return "", tags.add(segment=tag, customer_ids=customer_ids, by=request.user, at=timezone.now())


def tag_all(request: DeskRequest) -> HttpResponse:
    """Give a tag to every customer of a filtered list, or take it away."""
    back = request.POST.get("in", request.GET.get("in", ""))
    query = people.query(data=QueryDict(back), run=nights.current(), business=request.business)
    matching = people.totals(query).customers
    problem = ""
    if request.method == "POST" and matching <= people.MOST_AT_ONCE:
        problem, changed = _change_all(request, people.ids(query))
        if not problem:
            told = ngettext("%(number)s customer changed.", "%(number)s customers changed.", changed)
            messages.success(request, told % {"number": changed})
            return redirect(f"{reverse('desk:customer_list')}?{back}")
    context = {"back": back, "matching": matching, "most": people.MOST_AT_ONCE, "problem": problem}
    return render(request, "crm/tag_all.html", {**context, "tags_known": found.known()})


def _change_all(request: DeskRequest, ids: list[int]) -> tuple[str, int]:
    if "remove" not in request.POST:
        return _add(request, ids)
    tag = get_object_or_404(Segment, scheme=NEEDS, slug=request.POST["remove"])
    return "", tags.remove(segment_id=tag.pk, customer_ids=ids, at=timezone.now())


def tag_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Another name for a tag. Its address and its members stay."""
    tag = get_object_or_404(Segment, pk=pk, scheme=NEEDS)
    group = groups.find(schemes.NEEDS, tag.slug)
    form = NameForm(request.POST or None, initial={"name": tag.name})
    if request.method == "POST" and form.is_valid():
        tags.rename(segment_id=pk, name=form.cleaned_data["name"])
        return redirect(group.url if group else "desk:segment_list")
    return render(request, "crm/tag_form.html", {"form": form, "tag": tag, "group": group})
