"""Imports in the browser: upload, map, try out, import, take back."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from core import receiving
from core.http import DeskRequest, wants_part
from customers.forms.imports import MappingForm, UploadForm
from customers.importing.preview import Preview
from customers.importing.problems import FileProblem
from customers.models import ImportBatch, Upload
from customers.models.upload import Stage
from customers.selectors import imports
from customers.services import custom, undo, uploads


def import_list(request: DeskRequest) -> HttpResponse:
    context = {"open_uploads": imports.open_uploads(), "page": imports.page(request.GET.get("page"))}
    return render(request, "customers/import_list.html", context)


@csrf_exempt  # this view only says where the file goes; the one below it looks at the token
def import_new(request: DeskRequest) -> HttpResponseBase:
    """The role was judged before the body is read (core.access), and the token comes with the body."""
    with receiving.to_disk(request, folder=uploads.root(), most_bytes=uploads.MOST_BYTES):
        return _receive(request)


@csrf_protect
def _receive(request: DeskRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = UploadForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        initial={"kind": request.GET.get("kind", "orders")},
    )
    if form.is_valid():
        try:
            upload = uploads.keep(
                received=form.cleaned_data["file"], kind=form.cleaned_data["kind"], by=request.user, at=timezone.now()
            )
        except FileProblem as problem:
            form.add_error("file", str(problem))
        else:
            return redirect("customers:import_mapping", pk=upload.pk)
    return render(request, "customers/import_new.html", {"form": form}, status=422 if form.errors else 200)


def import_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """Where an upload stands. While it is at work the page asks for its part again and again."""
    upload = _upload(pk)
    if upload.batch_id is not None:
        return _go(request, "customers:import_batch", upload.batch_id)
    if upload.stage is Stage.MAPPING:
        return redirect("customers:import_mapping", pk=pk)
    context = {
        "upload": upload,
        "findings": imports.findings(upload, currency=request.business.currency),
        "others": imports.others_at_work(upload) if upload.is_at_work else 0,
        "earlier": uploads.earlier(upload),
        "has_rejects": _has_rejects(upload),
    }
    return render(request, "customers/_import.html" if wants_part(request) else "customers/import_detail.html", context)


def _go(request: DeskRequest, route: str, pk: int) -> HttpResponse:
    """Somewhere else, also when only a part of a page was asked for."""
    answer = redirect(route, pk=pk)
    if not wants_part(request):
        return answer
    return HttpResponse(headers={"HX-Redirect": answer.url})


def _upload(pk: int) -> Upload:
    upload = imports.load(pk)
    if upload is None:
        raise Http404
    return upload


def import_mapping(request: DeskRequest, pk: int) -> HttpResponse:
    upload = _upload(pk)
    if upload.batch_id is not None or upload.is_at_work:
        return redirect("customers:import_detail", pk=pk)
    try:
        sheet = request.POST.get("sheet") or request.GET.get("sheet") or upload.sheet
        seen = uploads.look(upload, sheet=sheet)
    except FileProblem as problem:
        messages.error(request, str(problem))
        return redirect("customers:import_list")
    preset = request.POST.get("preset") or request.GET.get("preset") or upload.preset
    initial = _initial(upload, seen, preset, sheet)
    own = custom.extras() if upload.kind == "customers" else []
    form = MappingForm(request.POST or None, kind=upload.kind, seen=seen, own=own, initial=initial)
    if request.method == "POST" and form.is_valid() and _checks(upload, form):
        return redirect("customers:import_detail", pk=pk)
    context = {
        "upload": upload,
        "form": form,
        "columns": [
            (column, form[f"column_{column.number}"]) for column in imports.columns(upload, seen, preset=preset)
        ],
        "preset": preset,
        "is_ambiguous": uploads.is_ambiguous(seen),
        "earlier": uploads.earlier(upload),
    }
    return render(request, "customers/import_mapping.html", context, status=422 if form.errors else 200)


def _initial(upload: Upload, seen: Preview, preset: str, sheet: str) -> dict[str, Any]:
    columns = imports.columns(upload, seen, preset=preset)
    return {
        "preset": preset,
        "source": upload.source if preset == upload.preset or preset == "generic" else preset,
        "sheet": sheet,
        "dates": {True: "day", False: "month"}.get(upload.day_first or False) if upload.day_first is not None else "",
        **{f"column_{column.number}": column.field for column in columns},
    }


def _checks(upload: Upload, form: MappingForm) -> bool:
    """Begin the dry run; what does not fit becomes an error of the form."""
    try:
        uploads.check(upload_id=upload.pk, choice=form.choice, at=timezone.now())
    except FileProblem as problem:
        form.add_error(None, str(problem))
    except uploads.Busy as problem:
        form.add_error(None, str(problem))
    else:
        return True
    return False


@require_POST
def import_start(request: DeskRequest, pk: int) -> HttpResponse:
    get_object_or_404(Upload, pk=pk)
    try:
        uploads.start(upload_id=pk, at=timezone.now())
    except uploads.Busy as problem:
        messages.error(request, str(problem))
    return redirect("customers:import_detail", pk=pk)


@require_POST
def import_stop(request: DeskRequest, pk: int) -> HttpResponse:
    get_object_or_404(Upload, pk=pk)
    uploads.stop(upload_id=pk, at=timezone.now())
    messages.success(request, _("It stops within a few seconds, and nothing of it stays."))
    return redirect("customers:import_detail", pk=pk)


@require_POST
def import_discard(request: DeskRequest, pk: int) -> HttpResponse:
    get_object_or_404(Upload, pk=pk)
    try:
        uploads.discard(upload_id=pk)
    except uploads.Busy as problem:
        messages.error(request, str(problem))
        return redirect("customers:import_detail", pk=pk)
    messages.success(request, _("The file is gone. Nothing was imported from it."))
    return redirect("customers:import_list")


def import_rejects(request: DeskRequest, pk: int) -> HttpResponseBase:
    """The rows that were refused, with the reason beside each, to be mended and sent again."""
    upload = _upload(pk)
    if not _has_rejects(upload):
        raise Http404
    name = f"rejects-{upload.file_name.rsplit('.', 1)[0]}.csv"
    return FileResponse(uploads.rejects_of(upload).open("rb"), as_attachment=True, filename=name)


def _has_rejects(upload: Upload) -> bool:
    refused = upload.findings.get("report", {}).get("rejected", 0)
    return bool(refused) and not upload.is_at_work and uploads.rejects_of(upload).exists()


def import_batch(request: DeskRequest, pk: int) -> HttpResponse:
    batches = ImportBatch.objects.select_related("upload__by", "upload__job", "undo_job")
    batch = get_object_or_404(batches, pk=pk)
    upload = getattr(batch, "upload", None)
    context = {
        "batch": batch,
        "upload": upload,
        "findings": upload and imports.findings(upload, currency=request.business.currency),
        "has_rejects": upload is not None and _has_rejects(upload),
        "is_undoing": uploads.is_undoing(batch),
    }
    name = "customers/_import_batch.html" if wants_part(request) else "customers/import_batch.html"
    return render(request, name, context)


def import_undo(request: DeskRequest, pk: int) -> HttpResponse:
    """What would go, or what stands in the way; then the job that takes it back."""
    batch = get_object_or_404(ImportBatch.objects.select_related("undo_job"), pk=pk)
    if request.method == "POST":
        try:
            uploads.undo(batch_id=pk, at=timezone.now())
        except uploads.Busy as problem:
            messages.error(request, str(problem))
        return redirect("customers:import_batch", pk=pk)
    if batch.state != ImportBatch.State.DONE or uploads.is_undoing(batch):
        return redirect("customers:import_batch", pk=pk)
    context = {
        "batch": batch,
        "goes": imports.what_goes(batch),
        "obstacle": undo.obstacle(batch_id=pk),
        "staying": undo.staying(batch_id=pk),
    }
    return render(request, "customers/import_undo.html", context)
