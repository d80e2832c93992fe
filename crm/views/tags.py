from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from analytics import schemes
from core.http import DeskRequest, wants_part
from core.models import Job
from crm import bulk_tags, groups
from crm.selectors import jobs, nights, people
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
        problem = _add(request, [pk])
    if wants_part(request):
        return render(request, "crm/_tags.html", {"customer": customer, **panel(pk), "problem": problem})
    if problem:
        messages.error(request, problem)
    return redirect(customer)


def panel(pk: int) -> dict[str, object]:
    """What the card of tags shows: two queries."""
    own = list(found.of_customer(pk))
    return {"tags": own, "tags_known": [tag for tag in found.known() if tag not in own]}


def _add(request: DeskRequest, customer_ids: list[int]) -> str:
    """Why the tag could not be given, or nothing."""
    tag, problem = _named(request.POST.get("add", ""))
    if tag is not None:
        tags.add(segment=tag, customer_ids=customer_ids, by=request.user, at=timezone.now())
    return problem


def _named(name: str) -> tuple[Segment | None, str]:
    """The tag of that name, new or known, or why there is none."""
    try:
        return tags.find_or_make(name=name), ""
    except tags.BadTag:
        return None, REFUSED % {"longest": tags.LONGEST}
    except tags.TooManyTags:
        return None, FULL % {"most": tags.MOST_TAGS}


def tag_all(request: DeskRequest) -> HttpResponse:
    """Give a tag to every customer of a filtered list, or take it away; a long list is a worker's."""
    back = request.POST.get("in", request.GET.get("in", ""))
    query = people.query(data=QueryDict(back), run=nights.current(), business=request.business)
    matching = people.totals(query).customers
    problem = ""
    if request.method == "POST":
        tag, problem = _asked(request)
        if tag is not None and matching > people.MOST_AT_ONCE:
            return redirect("desk:tag_job", pk=_start(request, tag, back, matching).pk)
        if tag is not None:
            _tell(request, _change_all(request, tag, people.ids(query)))
            return redirect(f"{reverse('desk:customer_list')}?{back}")
    context = {"back": back, "matching": matching, "most": people.MOST_AT_ONCE, "problem": problem}
    return render(request, "crm/tag_all.html", {**context, "tags_known": found.known()})


def _asked(request: DeskRequest) -> tuple[Segment | None, str]:
    """The tag to give or to take away, or why there is none."""
    if "remove" in request.POST:
        return get_object_or_404(Segment, scheme=NEEDS, slug=request.POST["remove"]), ""
    return _named(request.POST.get("add", ""))


def _start(request: DeskRequest, tag: Segment, query: str, customers: int) -> Job:
    is_given = "remove" not in request.POST
    return bulk_tags.start(
        query=query, tag=tag, is_given=is_given, customers=customers, by=request.user, at=timezone.now()
    )


def _change_all(request: DeskRequest, tag: Segment, ids: list[int]) -> int:
    if "remove" in request.POST:
        return tags.remove(segment_id=tag.pk, customer_ids=ids, at=timezone.now())
    return tags.add(segment=tag, customer_ids=ids, by=request.user, at=timezone.now())


def _tell(request: DeskRequest, changed: int) -> None:
    told = ngettext("%(number)s customer changed.", "%(number)s customers changed.", changed)
    messages.success(request, told % {"number": changed})


def tag_job(request: DeskRequest, pk: int) -> HttpResponse:
    """How far the tagging of a long list is; a POST takes it back."""
    job = get_object_or_404(Job.objects.select_related("progress"), pk=pk, step__in=bulk_tags.STEPS)
    if request.method == "POST":
        try:
            return redirect("desk:tag_job", pk=bulk_tags.undo(job_id=pk, by=request.user, at=timezone.now()).pk)
        except (bulk_tags.CannotUndo, Job.DoesNotExist):
            messages.error(request, _("It cannot be taken back: it is not done, or was taken back before."))
            return redirect("desk:tag_job", pk=pk)
    context = {"job": job, "row": jobs.row(job), "is_undo": job.step == bulk_tags.UNDO, **bulk_tags.told(job)}
    return render(request, "crm/_tag_job.html" if wants_part(request) else "crm/tag_job.html", context)


def tag_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Another name for a tag. Its address and its members stay."""
    tag = get_object_or_404(Segment, pk=pk, scheme=NEEDS)
    group = groups.find(schemes.NEEDS, tag.slug)
    form = NameForm(request.POST or None, initial={"name": tag.name})
    if request.method == "POST" and form.is_valid():
        tags.rename(segment_id=pk, name=form.cleaned_data["name"])
        return redirect(group.url if group else "desk:segment_list")
    return render(request, "crm/tag_form.html", {"form": form, "tag": tag, "group": group})
