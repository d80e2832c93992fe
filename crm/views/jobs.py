from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import business, failures, pulse, retelling
from core.http import DeskRequest, wants_part
from core.models import Job, Run
from crm import learned, night, night_facts, schedule
from crm.selectors import jobs, nights


def job_list(request: DeskRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "status": nights.status(row=request.business, at=now),
        "board": jobs.board(state=request.GET.get("state", ""), cursor=request.GET.get("cursor", "")),
        "silence": pulse.silence(at=now),
        "night_hour": schedule.NIGHT_HOUR,
    }
    return render(request, "crm/_jobs.html" if wants_part(request) else "crm/job_list.html", context)


def run_detail(request: DeskRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run, pk=pk)
    steps, fitted = nights.steps(run), run.model.get("fitted")
    context = {
        "run": run,
        "steps": steps,
        "percent": nights.percent(steps),
        "reason": failures.reason(run.error) if run.error else None,
        "failures": [jobs.row(job) for job in nights.troubled(run)],
        "learned": learned.rows(fitted, run.settings, run.model.get("cells", ())) if fitted else [],
        "facts": night_facts.rows(run, business=request.business),
    }
    return render(request, "crm/_run.html" if wants_part(request) else "crm/run_detail.html", context)


def job_detail(request: DeskRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.select_related("run"), pk=pk)
    context = {"job": job, "row": jobs.row(job), "attempts": jobs.attempts(job), "upload": jobs.upload_of(job)}
    context["asked"] = jobs.facts(job)
    return render(request, "crm/job_detail.html", context)


@require_POST
def job_retry(request: DeskRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job, pk=pk)
    try:
        night.retry(job_id=pk, at=timezone.now())
    except night.CannotRetry as error:
        messages.error(request, retelling.retold(str(error)))
    else:
        messages.success(request, _("The job is in the queue again."))
    return redirect("desk:run_detail", pk=job.run_id) if job.run_id else redirect("desk:job_list")


@require_POST
def run_start(request: DeskRequest) -> HttpResponse:
    now = timezone.now()
    day = business.last_complete_day(business=request.business, at=now)
    try:
        start = night.start(as_of=day, at=now)
    except night.AnotherRunIsAtWork as error:
        messages.error(request, retelling.retold(str(error)))
        return redirect("desk:job_list")
    if not start.is_new:
        messages.info(request, _("Nothing has changed since the last night, so there is nothing to do."))
    return redirect("desk:run_detail", pk=start.run.pk)
